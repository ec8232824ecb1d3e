/** A Chinese, Japanese or Korean character, also a punctuation mark of these scripts. */
const CJK = String.raw`[\u1100-\u11ff\u2e80-\u2fff\u3001-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\u{20000}-\u{3ffff}]`;

/** A punctuation mark, unless it is CJK. `~` is none, as in marked's own rules. */
const PUNCTUATION = String.raw`(?:(?!${CJK}|[*~])[\p{P}\p{S}])`;

/** Any other character except white space. */
const LETTER = String.raw`(?:[^\s\p{P}\p{S}]|~|${CJK})`;

/**
 * Rules for `*` and `**` that replace marked's. CommonMark decides by the characters beside the stars whether these open
 * or close. Texts in Chinese, Japanese and Korean have no spaces there, so stars between a punctuation mark and a letter
 * would stay visible: `**「甲」**です`. Here CJK punctuation counts as letters, and stars between other punctuation and a
 * CJK character may open and close.
 *
 * The number of a group is what it means to marked: 1 and 2 close, 3 and 4 open, 5 and 6 do both.
 */
export const STAR_RULES = {
  emStrongLDelim: new RegExp(String.raw`^\*+(?:(${PUNCTUATION})|([^\s*]))?`, 'u'),
  emStrongRDelimAst: new RegExp(
    [
      String.raw`^[^_*]*?__[^_*]*?\*[^_*]*?(?=__)`,
      String.raw`[^*]+(?=[^*])`,
      String.raw`${PUNCTUATION}(\*+)(?=\s|$)`,
      String.raw`(?!${CJK}\*+${PUNCTUATION})${LETTER}(\*+)(?!\*)(?=\s|${PUNCTUATION}|$)`,
      String.raw`(?!${PUNCTUATION}\*+${CJK})(?:\s|${PUNCTUATION})(\*+)(?=${LETTER})`,
      String.raw`\s(\*+)(?!\*)(?=${PUNCTUATION})`,
      String.raw`${PUNCTUATION}(\*+)(?!\*)(?=${PUNCTUATION}|${CJK})`,
      String.raw`(?:${LETTER}(?=\*+${LETTER})|${CJK}(?=\*+${PUNCTUATION}))(\*+)`,
    ].join('|'),
    'gu',
  ),
  punctuation: new RegExp(String.raw`^((?![*_])(?:[\s\p{P}\p{S}]|${CJK}))`, 'u'),
};
