import { sanitise } from './sanitise.js';

/** A longer code would keep the page from answering while it is coloured, and nobody reads it all. */
const LONGEST = 50_000;

/**
 * Colours a code; undefined when its language is not known. What does it is loaded with the first code that has a
 * language.
 */
export async function highlight(code: string, language: string): Promise<DocumentFragment | undefined> {
  if (language === '' || code.length > LONGEST) return undefined;
  const { default: highlighter } = await import('highlight.js/lib/common');
  if (!highlighter.getLanguage(language)) return undefined;
  return sanitise(highlighter.highlight(code, { language, ignoreIllegals: true }).value);
}
