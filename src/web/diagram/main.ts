// The page in the sandboxed frame. It draws each diagram that the chat sends, and sends the picture back.
import mermaid from 'mermaid';

const MAX_LENGTH = 20_000;

let drawn = 0;

addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
  if (source !== parent || typeof data !== 'object' || data === null) return;
  const { code, dark } = data as Record<string, unknown>;
  void draw(String(code), dark === true).then(
    (svg) => parent.postMessage({ svg }, '*'),
    () => parent.postMessage({ failed: true }, '*'),
  );
});
parent.postMessage({ ready: true }, '*');

async function draw(code: string, dark: boolean): Promise<string> {
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: 'strict',
    theme: dark ? 'dark' : 'neutral',
    maxTextSize: MAX_LENGTH,
    suppressErrorRendering: true,
    // HTML in an SVG is not shown in an `img`.
    htmlLabels: false,
    fontFamily: 'system-ui, sans-serif',
  });
  const { svg } = await mermaid.render(`diagram-${++drawn}`, code);
  return svg;
}
