/** Returns a pattern for words as a person types them: of any case, with any white space between them. */
export function patternOf(words: string): RegExp {
  const parts = words.trim().split(/\s+/);
  return new RegExp(
    parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join(String.raw`\s+`),
    'iu',
  );
}
