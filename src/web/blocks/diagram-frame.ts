import { COLOURS, type ColourName } from './diagram-colours.js';
import { DIAGRAM_FRAME } from './frame-policy.js';

/** Longest source of a diagram, in UTF-16 units. */
const MAX_LENGTH = 20_000;

/** Largest picture, in UTF-16 units. */
const MAX_PICTURE_LENGTH = 2_000_000;

/** Time to load the frame with its library, and time to draw one diagram, in milliseconds. */
const LOAD_TIMEOUT_MS = 30_000;
const DRAW_TIMEOUT_MS = 3_000;

/** A drawn diagram. The address is a data URL of an SVG, for an `img`, where it can neither run nor load anything. */
export interface Drawing {
  readonly address: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Why a diagram was not drawn. */
export type DiagramFailure = 'long' | 'large' | 'slow' | 'wrong' | 'unloaded';

interface OpenFrame {
  readonly element: HTMLIFrameElement;
  /** Resolves with false when the frame does not load. */
  readonly isReady: Promise<boolean>;
}

let frame: OpenFrame | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Draws a diagram in a sandboxed frame, which has an origin of its own and can reach nothing of the page. One diagram is
 * drawn at a time. A frame that does not respond in time is removed with whatever it does.
 */
export function drawDiagram(code: string, dark: boolean): Promise<Drawing | DiagramFailure> {
  if (code.length > MAX_LENGTH) return Promise.resolve('long');
  const drawn = last.then(() => draw(code, dark));
  last = drawn.catch(() => {});
  return drawn;
}

async function draw(code: string, dark: boolean): Promise<Drawing | DiagramFailure> {
  frame ??= openFrame();
  const { element, isReady } = frame;
  if (!(await isReady)) {
    closeFrame();
    return 'unloaded';
  }
  const response = awaitMessage(element, DRAW_TIMEOUT_MS);
  // The frame has an opaque origin, which cannot be named.
  element.contentWindow?.postMessage({ code, dark, colours: readColours() }, '*');
  const message = await response;
  if (message === undefined) {
    closeFrame();
    return 'slow';
  }
  return isRecord(message) && message['failed'] === 'large' ? 'large' : (readDrawing(message) ?? 'wrong');
}

function openFrame(): OpenFrame {
  const element = document.createElement('iframe');
  element.sandbox.add('allow-scripts');
  element.className = 'diagram-frame';
  element.tabIndex = -1;
  element.setAttribute('aria-hidden', 'true');
  element.src = DIAGRAM_FRAME;
  const ready = awaitMessage(element, LOAD_TIMEOUT_MS);
  document.body.append(element);
  return { element, isReady: ready.then((message) => message !== undefined) };
}

function closeFrame(): void {
  frame?.element.remove();
  frame = undefined;
}

/** Resolves with the next message of a frame; undefined when none comes in time. */
function awaitMessage(element: HTMLIFrameElement, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve) => {
    const end = (message: unknown) => {
      clearTimeout(timer);
      removeEventListener('message', listener);
      resolve(message);
    };
    const listener = ({ source, data }: MessageEvent<unknown>) => {
      if (source !== null && source === element.contentWindow) end(data);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    addEventListener('message', listener);
  });
}

/** Returns the colours of the page's tokens for this look, as the frame names them. */
function readColours(): Record<ColourName, string> {
  const probe = document.createElement('span');
  // Forced colours would make all of them one.
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const entries = COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<ColourName, string>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Checks what a frame has sent: it ran a foreign text, so it may be anything. */
function readDrawing(message: unknown): Drawing | undefined {
  const { svg } = isRecord(message) ? message : {};
  if (typeof svg !== 'string' || svg.length > MAX_PICTURE_LENGTH) return undefined;
  const [, width, height] = /^<svg[^>]* viewBox="-?[\d.]+ -?[\d.]+ ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  if (!(Number(width) > 0 && Number(height) > 0)) return undefined;
  return {
    address: `data:image/svg+xml,${encodeURIComponent(svg)}`,
    width: Math.ceil(Number(width)),
    height: Math.ceil(Number(height)),
  };
}
