/** The attribute of an element that is drawn from a text, for example a formula: the text, with its delimiters. */
export const SOURCE = 'data-source';

/** Returns the text of an element as it was written: what is drawn is replaced by its source. */
export function readSource(element: Element | DocumentFragment): string {
  const copy = element.cloneNode(true) as Element | DocumentFragment;
  restoreSources(copy);
  return copy.textContent ?? '';
}

/** Replaces what is drawn in `root` by its source. */
export function restoreSources(root: ParentNode): void {
  for (const drawn of root.querySelectorAll(`[${SOURCE}]`)) drawn.replaceWith(drawn.getAttribute(SOURCE) ?? '');
}
