/** Dispatched to the window when a part of the page could not be loaded. */
export const PART_MISSING = 'part-missing';

/**
 * Returns a function that loads a part of the page with its first call, and resolves with it each time. Resolves with
 * undefined if it cannot be loaded, and dispatches {@link PART_MISSING}. It is not tried again: a browser remembers until a
 * reload that a module has failed.
 * @param load imports the part
 */
export function lazyPart<Part>(load: () => Promise<Part>): () => Promise<Part | undefined> {
  let part: Promise<Part | undefined> | undefined;
  const miss = () => {
    dispatchEvent(new Event(PART_MISSING));
    return undefined;
  };
  return () => (part ??= load().catch(miss));
}
