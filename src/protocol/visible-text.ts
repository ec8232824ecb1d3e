/** Scripts in which joiners and variation selectors change letters; in all others they are not seen. */
const JOINING = String.raw`\p{M}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Nko}\p{Script=Mongolian}`;

/** Characters after which a selector chooses another shape: emoji, symbols and ideographs. */
const SELECTABLE = String.raw`\p{Emoji}\p{S}\p{P}\p{Script=Han}\p{Script=Myanmar}\p{Script=Phags_Pa}`;

/**
 * Characters that are not seen, or that show the text around them in another order: controls except line breaks and tabs,
 * what the Bidirectional Algorithm obeys, lone surrogates, and what Unicode calls ignorable: spaces without width, fillers,
 * tags. Joiners, selectors and tags stay where writing needs them: in emoji, flags and the scripts above.
 */
const INVISIBLE = new RegExp(
  [
    String.raw`(?![\n\t]|\r\n)[\p{Cc}\p{Cs}\u2028\u2029\ufff9-\ufffb]`,
    String.raw`(?![\u200c\u200d\u180b-\u180f\ufe00-\ufe0f\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}])\p{Default_Ignorable_Code_Point}`,
    String.raw`(?<![${JOINING}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]`,
    String.raw`(?<!\p{Script=Mongolian})[\u180b-\u180f]`,
    String.raw`(?<![${SELECTABLE}])[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]`,
    String.raw`(?<!\u{1f3f4}[\u{e0030}-\u{e007a}]{0,6})[\u{e0020}-\u{e007f}]`,
  ].join('|'),
  'gu',
);

/** Replaces each character of a text that is not seen or that changes the order of others. */
export function replaceInvisible(text: string, replace: (character: string) => string): string {
  return text.replaceAll(INVISIBLE, replace);
}

/**
 * Returns foreign text for the eyes of a person who reads it or decides on it: `pay ⟨U+202E⟩001` instead of a text that
 * looks like another one. Text in scripts from right to left stays as it is. Only for showing: what is stored, hashed
 * or sent on stays exact.
 */
export function toVisibleText(text: string): string {
  return replaceInvisible(text, (character) => `⟨U+${toHex(character.codePointAt(0) ?? 0)}⟩`);
}

function toHex(codePoint: number): string {
  return codePoint.toString(16).toUpperCase().padStart(4, '0');
}
