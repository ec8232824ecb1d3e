/** What the focus moves to when the element that had it is gone, nearest first: the row, the card, the heading of the page. */
const PLACES = ['.row', '.card'] as const;

const FOCUSABLE = ':is(a, button, input):not(:disabled)';

/**
 * Notes that an element has the focus. Returns a function to call once it may be gone: if the focus has fallen to the document,
 * it moves to the element again, or else to the row or card that it was in, or to the heading. So the next Tab goes on there.
 */
export function keepFocus(element: HTMLElement): () => void {
  if (!element.contains(document.activeElement)) return () => {};
  const places = PLACES.flatMap((place) => element.closest<HTMLElement>(place) ?? []);
  return () => {
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    const place = [element, ...places].find(({ isConnected }) => isConnected);
    const target = place?.querySelector<HTMLElement>(FOCUSABLE) ?? document.querySelector<HTMLElement>('h1');
    target?.focus({ preventScroll: true });
  };
}
