import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import type { Dialect } from '../markdown/dialect.js';
import { mayHaveTable } from '../markdown/measure.js';
import { translate } from '../markdown/translate.js';

const WEB_LINK = /^https?:\/\/[^\s<>]+$/i;
/** Characters that Discord may take for markup, wherever they stand. */
const SPECIAL = /[\\*_~`|[\]]/g;
/** Texts that Discord treats as markup at the beginning of a line, and in angle brackets. */
const LINE_START = /^([ \t]*)(?=#{1,3}[ \t]|>|-#[ \t]|[-+][ \t])/gm;
const NUMBERED = /^([ \t]*\d+)(?=\.[ \t])/gm;
const REFERENCE = /<(?=[@#:/a-z])/gi;
const MAY_BE_ESCAPED = /[\\*_~`|[\]<]|^[ \t]*[#>+-]|^[ \t]*\d+\./gm;

const MARKS = { strong: '**', em: '*', del: '~~' } as const;

const dialect: Dialect = {
  escape,
  escapeCharacter: (character) => `\\${character}`,
  mark: (mark, text) => surround(MARKS[mark], text),
  smallPrint: (text) => escape(text.trim()).replaceAll(/^/gm, '-# '),

  codeSpan(text) {
    const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
    if (longest === 0) return `\`${text}\``;
    return longest === 1 ? `\`\` ${text} \`\`` : escape(text);
  },

  link({ words, href, isBare }) {
    if (!WEB_LINK.test(href)) return undefined;
    if (isBare) return encodeMarks(href);
    return `[${words}](${href.replaceAll('(', '%28').replaceAll(')', '%29')})`;
  },

  // Discord has three levels, of one line.
  heading(text, level) {
    if (text.trim() === '') return '';
    return level > 3 ? surround('**', text) : `${'#'.repeat(level)} ${text.replaceAll(/\s*\n\s*/g, ' ')}`;
  },

  // A fence in the code would end it, so a character without width comes between its marks.
  code: (text, language) => `\`\`\`${language}\n${text.replaceAll('```', '`\u200B`\u200B`')}\n\`\`\``,

  // Discord knows no quote within a quote.
  quote: (text, isQuoted) => (isQuoted ? `› ${text}` : text.replaceAll(/^/gm, '> ')),

  item(blocks, { number, checkbox }) {
    const mark = number || '- ';
    return `${mark}${checkbox}${blocks.join('\n').replaceAll(/\n(?=.)/g, `\n${' '.repeat(mark.length)}`)}`;
  },
};

/** Marks up the texts of one message in Discord's Markdown. What cannot be parsed is shown as it was written. */
export function markUp(texts: readonly PartText[]): string {
  return translate(texts, dialect);
}

/**
 * Returns the length by which a part is cut: that of the text if all that can be escaped is. It grows with the text. Only a
 * table may become longer than that, so no other text is parsed here.
 */
export function measure(texts: readonly PartText[]): number {
  const plain = toPlainText(texts);
  const lines = texts.reduce((sum, { kind, text }) => sum + (kind === 'status' ? 3 * text.split('\n').length : 0), 0);
  const code = texts.reduce((sum, { kind, language = '' }) => sum + (kind === 'code' ? 8 + language.length : 0), 0);
  const length = plain.length + (plain.match(MAY_BE_ESCAPED)?.length ?? 0) + lines + code;
  return mayHaveTable(plain) ? Math.max(markUp(texts).length, length) : length;
}

/** Encodes what would be markup in a bare address. */
function encodeMarks(url: string): string {
  return url.replaceAll(/[*~|\\]|_$/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns a mark around a text; none around a blank one. */
function surround(mark: string, text: string): string {
  if (text.trim() === '') return text;
  // It is not clear which two of three asterisks in a row belong together.
  const own = mark === '*' && /^\*|\*$/.test(text) ? '_' : mark;
  return `${own}${text}${own}`;
}

/** Escapes what Discord would take for markup. */
function escape(text: string): string {
  return text
    .replaceAll(SPECIAL, '\\$&')
    .replaceAll(LINE_START, '$1\\')
    .replaceAll(NUMBERED, '$1\\')
    .replaceAll(REFERENCE, '\\<');
}
