/** Below it are the pages that agents draw, relative to the address of the chat. */
const CANVAS_PAGES = 'canvas/';

/** The page in the frame that draws diagrams, relative to the address of the chat. */
export const DIAGRAM_FRAME = 'chat/diagram';

/**
 * Forbids all frames but that of diagrams and those of pages that agents draw. The policy that the gateway sends allows each
 * path of its own, because it does not know the path below which a proxy serves it.
 */
export function restrictFrames(): void {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  const [diagrams, pages] = [DIAGRAM_FRAME, CANVAS_PAGES].map((path) => new URL(path, location.href).href);
  policy.content = `frame-src ${diagrams} ${pages}`;
  document.head.append(policy);
}
