/** Maximum length of highlighted code, in characters: highlighting longer code would block the page. */
const MAX_LENGTH = 50_000;

/** Highlights code. Resolves with undefined when the language is unknown. The highlighter is loaded on first use. */
export async function highlight(code: string, language: string): Promise<DocumentFragment | undefined> {
  if (language === '' || code.length > MAX_LENGTH) return undefined;
  const [{ default: highlighter }, { sanitise }] = await Promise.all([
    import('highlight.js/lib/common'),
    import('./sanitise.js'),
  ]);
  if (!highlighter.getLanguage(language)) return undefined;
  return sanitise(highlighter.highlight(code, { language, ignoreIllegals: true }).value);
}
