/** The attribute that holds the text from which an element is drawn, for example a formula with its delimiters. */
export const SOURCE = 'data-source';

/** Returns the text of an element as it was written, with sources in place of drawings. */
export function readSource(element: Element | DocumentFragment): string {
  const copy = element.cloneNode(true) as Element | DocumentFragment;
  restoreSources(copy);
  return copy.textContent ?? '';
}

/** Replaces each drawing in `root` by its source. */
export function restoreSources(root: ParentNode): void {
  for (const drawn of root.querySelectorAll(`[${SOURCE}]`)) drawn.replaceWith(drawn.getAttribute(SOURCE) ?? '');
}
