// The page in the sandboxed frame. It draws each diagram that the chat sends, and sends the picture back.
import mermaid from 'mermaid';
import type { ColourName } from '../blocks/diagram-colours.js';
import { themeOf } from './theme.js';

const MAX_LENGTH = 20_000;

/** The error of mermaid for a diagram with more connections than it draws. */
const TOO_LARGE = /Edge limit exceeded/;

let drawn = 0;

addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
  if (source !== parent || typeof data !== 'object' || data === null) return;
  const { code, dark, colours } = data as Record<string, unknown>;
  void draw(String(code), dark === true, colours as Record<ColourName, string>).then(
    (svg) => parent.postMessage({ svg }, '*'),
    (error: unknown) => parent.postMessage({ failed: TOO_LARGE.test(String(error)) ? 'large' : 'wrong' }, '*'),
  );
});
parent.postMessage({ ready: true }, '*');

async function draw(code: string, dark: boolean, colours: Readonly<Record<ColourName, string>>): Promise<string> {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: 'strict',
    theme: 'base',
    themeVariables: themeOf(colours, dark),
    themeCSS: `.legend rect { stroke: ${colours.edge} !important; }`,
    maxTextSize: MAX_LENGTH,
    suppressErrorRendering: true,
    // HTML in an SVG is not shown in an `img`.
    htmlLabels: false,
    fontFamily: 'system-ui, sans-serif',
  });
  const { svg } = await mermaid.render(`diagram-${++drawn}`, code);
  return svg;
}
