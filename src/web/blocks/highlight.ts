import { sanitise } from './sanitise.js';

/** Longer code is not highlighted: it would block the page. In characters. */
const MAX_LENGTH = 50_000;

/** Highlights code; undefined when its language is not known. The highlighter is loaded on first use. */
export async function highlight(code: string, language: string): Promise<DocumentFragment | undefined> {
  if (language === '' || code.length > MAX_LENGTH) return undefined;
  const { default: highlighter } = await import('highlight.js/lib/common');
  if (!highlighter.getLanguage(language)) return undefined;
  return sanitise(highlighter.highlight(code, { language, ignoreIllegals: true }).value);
}
