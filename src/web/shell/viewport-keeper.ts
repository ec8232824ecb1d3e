/** Minimum height of a keyboard, in pixels; bars of the browser take less. */
const MIN_KEYBOARD = 120;

/**
 * Fits the page into what an on-screen keyboard leaves, in browsers where it covers the page. A page that is zoomed, or
 * where no field has the focus, is left as it is.
 */
export function keepAboveKeyboard(page: HTMLElement): void {
  const { visualViewport } = globalThis;
  const fit = () => {
    if (!visualViewport) return;
    const { height, scale } = visualViewport;
    const isWriting = document.activeElement?.matches('input, textarea') ?? false;
    const isCovered = scale === 1 && isWriting && innerHeight - height > MIN_KEYBOARD;
    page.style.setProperty('--seen-height', isCovered ? `${height}px` : '');
    if (isCovered) scrollTo(0, 0);
  };
  for (const event of ['resize', 'scroll']) visualViewport?.addEventListener(event, fit);
  for (const event of ['focusin', 'focusout']) page.addEventListener(event, fit);
}
