/** Dispatched to the window when a part of the page could not be loaded. */
export const PART_MISSING = 'part-missing';

/**
 * Reports that a part of the page could not be loaded. It is of no use to try again: a browser remembers until a reload that
 * a module has failed.
 */
export function reportMissing(): undefined {
  dispatchEvent(new Event(PART_MISSING));
  return undefined;
}

/**
 * Returns a function that loads a part of the page with its first call. If it cannot be loaded, that is reported once: a
 * view asks for its part each time it is drawn.
 * @param load imports the part
 */
export function lazyPart(load: () => Promise<unknown>): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    load().catch(reportMissing);
  };
}
