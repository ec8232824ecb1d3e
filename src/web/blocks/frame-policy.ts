/** The page in the frame that draws diagrams, relative to the address of the chat. */
export const DIAGRAM_FRAME = 'chat/diagram';

/**
 * Forbids all frames but that of diagrams. The policy that the gateway sends allows each path of its own, because it does
 * not know the path below which a proxy serves it.
 */
export function restrictFrames(): void {
  const policy = document.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = `frame-src ${new URL(DIAGRAM_FRAME, location.href).href}`;
  document.head.append(policy);
}
