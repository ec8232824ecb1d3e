import { lexer, type Token, type Tokens } from 'marked';
import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';

/** Deeper nesting is shown as it was written. */
const MAX_DEPTH = 12;
/** Longer texts are shown as they were written: the parser may need much time for them. */
const MAX_PARSED_LENGTH = 20_000;

const MAY_BE_TABLE = /^[ \t|:>-]*-[ \t|:-]*$/m;
const WEB_LINK = /^https?:\/\/[^\s<>]+$/i;
/** Characters that Discord may take for markup, wherever they stand. */
const SPECIAL = /[\\*_~`|[\]]/g;
/** What Discord takes for markup at the beginning of a line, and in angle brackets. */
const LINE_START = /^([ \t]*)(?=#{1,3}[ \t]|>|-#[ \t]|[-+][ \t])/gm;
const NUMBERED = /^([ \t]*\d+)(?=\.[ \t])/gm;
const REFERENCE = /<(?=[@#:/a-z])/gi;
const MAY_BE_ESCAPED = /[\\*_~`|[\]<]|^[ \t]*[#>+-]|^[ \t]*\d+\./gm;

/** Marks up the texts of one message in Discord's Markdown. What cannot be parsed is shown as it was written. */
export function markUp(texts: readonly PartText[]): string {
  return texts.map(markUpText).join('\n\n');
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
  return MAY_BE_TABLE.test(plain) ? Math.max(markUp(texts).length, length) : length;
}

function markUpText({ kind, text, language }: PartText): string {
  switch (kind) {
    case 'markdown':
      return markUpMarkdown(text);
    case 'code':
      return toFence(text, language);
    case 'status':
    case 'image':
    case 'audio':
    case 'file':
      return text.trim() === '' ? text : escape(text.trim()).replaceAll(/^/gm, '-# ');
    case 'text':
      return escape(text);
  }
}

function markUpMarkdown(text: string): string {
  if (text.length > MAX_PARSED_LENGTH) return escape(text);
  try {
    const marked = toBlocks(lexer(text), { depth: 0, isQuoted: false });
    // A text that is nothing but definitions of links would be empty.
    return marked.trim() === '' ? escape(text) : marked;
  } catch {
    return escape(text);
  }
}

/** Where a token stands. */
interface Place {
  readonly depth: number;
  /** Discord knows no quote within a quote. */
  readonly isQuoted: boolean;
}

function toBlocks(tokens: readonly Token[], place: Place): string {
  return tokens
    .map((token) => toBlock(token, place))
    .filter((text) => text !== '')
    .join('\n\n');
}

function toBlock(token: Token, place: Place): string {
  if (place.depth > MAX_DEPTH) return escape(token.raw.trim());
  const inner = { ...place, depth: place.depth + 1 };
  switch (token.type) {
    case 'space':
    case 'def':
      return '';
    case 'heading':
      return toHeading(token as Tokens.Heading);
    case 'code': {
      const { text, lang } = token as Tokens.Code;
      return toFence(text, lang);
    }
    case 'blockquote':
      return toQuote(childrenOf(token), inner);
    case 'list':
      return toList(token as Tokens.List, inner);
    case 'table':
      return toFence(toTable(token as Tokens.Table));
    case 'hr':
      return '———';
    case 'paragraph':
    case 'text':
      return toInline(childrenOf(token) ?? [token], TOP);
    default:
      return escape(token.raw.trim());
  }
}

/** Discord has three levels, of one line. */
function toHeading({ depth, tokens }: Tokens.Heading): string {
  if (depth > 3) return around('**', tokens, TOP);
  const text = toInline(tokens, TOP).replaceAll(/\s*\n\s*/g, ' ');
  return text.trim() === '' ? '' : `${'#'.repeat(depth)} ${text}`;
}

function toQuote(tokens: readonly Token[] | undefined, place: Place): string {
  const text = toBlocks(tokens ?? [], { ...place, isQuoted: true });
  if (text === '') return '';
  return place.isQuoted ? `› ${text}` : text.replaceAll(/^/gm, '> ');
}

function toList({ items, ordered, start, loose }: Tokens.List, place: Place): string {
  const first = start === '' ? 1 : start;
  const lines = items.map((item, n) => {
    const mark = ordered ? `${first + n}. ` : '- ';
    const checkbox = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    const blocks = item.tokens.filter(({ type }) => type !== 'checkbox').map((token) => toBlock(token, place));
    const body = blocks.filter((text) => text !== '').join('\n');
    return `${mark}${checkbox}${body.replaceAll(/\n(?=.)/g, `\n${' '.repeat(mark.length)}`)}`;
  });
  return lines.join(loose ? '\n\n' : '\n');
}

/** Returns a table as text whose columns are aligned. */
function toTable({ header, rows, align }: Tokens.Table): string {
  const cells = [header, ...rows].map((row) => row.map(({ tokens }) => toVisible(tokens)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, align[column] === 'right'))
      .join(' | ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** Returns inline tokens without markup. */
function toVisible(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const children = childrenOf(token);
      if (token.type === 'br') return ' ';
      return children && children.length > 0 ? toVisible(children) : 'text' in token ? String(token.text) : token.raw;
    })
    .join('');
}

const graphemes = new Intl.Segmenter();
const widthOf = (text: string) => Array.from(graphemes.segment(text)).length;

function pad(cell: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return isRight ? space + cell : cell + space;
}

/** Where an inline token stands: a mark is not opened within itself. */
interface InlinePlace {
  readonly depth: number;
  readonly open: ReadonlySet<string>;
}

const TOP: InlinePlace = { depth: 0, open: new Set() };
const MARKS: Readonly<Record<string, string>> = { strong: '**', em: '*', del: '~~' };

function toInline(tokens: readonly Token[] | undefined, place: InlinePlace): string {
  return (tokens ?? []).map((token) => toInlineToken(token, place)).join('');
}

function toInlineToken(token: Token, place: InlinePlace): string {
  if (place.depth > MAX_DEPTH) return escape(token.raw);
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return around(MARKS[token.type] ?? '', childrenOf(token), place);
    case 'codespan':
      return toCodeSpan((token as Tokens.Codespan).text);
    case 'br':
      return '\n';
    case 'link':
    case 'image':
      return toLink(token as Tokens.Link, place);
    case 'escape':
      return `\\${(token as Tokens.Escape).text}`;
    case 'text': {
      const children = childrenOf(token);
      return children ? toInline(children, { ...place, depth: place.depth + 1 }) : escape((token as Tokens.Text).text);
    }
    default:
      return escape(token.raw);
  }
}

function toLink({ href, text, tokens, raw }: Tokens.Link, place: InlinePlace): string {
  if (raw === href || raw === `<${href}>`) return WEB_LINK.test(href) ? encodeMarks(href) : escape(text);
  const inner = tokens && tokens.length > 0 ? toInline(tokens, descend(place, '[')) : escape(text);
  if (inner.trim() === '') return escape(raw);
  if (!WEB_LINK.test(href)) return inner === escape(href) ? inner : `${inner} (${escape(href)})`;
  if (place.open.has('[')) return inner;
  return `[${inner}](${href.replaceAll('(', '%28').replaceAll(')', '%29')})`;
}

/** Encodes what would be markup in a bare address. */
function encodeMarks(url: string): string {
  return url.replaceAll(/[*~|\\]|_$/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns a mark around a text; nothing for an empty one. */
function around(mark: string, tokens: readonly Token[] | undefined, place: InlinePlace): string {
  const inner = toInline(tokens, descend(place, mark));
  if (inner.trim() === '' || place.open.has(mark)) return inner;
  // Of three asterisks in a row it is not clear which two belong together.
  const own = mark === '*' && /^\*|\*$/.test(inner) ? '_' : mark;
  return `${own}${inner}${own}`;
}

function descend({ depth, open }: InlinePlace, mark: string): InlinePlace {
  return { depth: depth + 1, open: new Set([...open, mark]) };
}

function toCodeSpan(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  if (longest === 0) return `\`${text}\``;
  return longest === 1 ? `\`\` ${text} \`\`` : escape(text);
}

/** Returns a code block. A fence in the code would end it, so a character without width comes between its marks. */
function toFence(text: string, info = ''): string {
  const [language = ''] = /^[\w+#.-]{1,40}/.exec(info.trim()) ?? [];
  return text.trim() === '' ? text : `\`\`\`${language}\n${text.replaceAll('```', '`\u200B`\u200B`')}\n\`\`\``;
}

function childrenOf(token: Token): readonly Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}

/** Escapes what Discord would take for markup. */
function escape(text: string): string {
  return text
    .replaceAll(SPECIAL, '\\$&')
    .replaceAll(LINE_START, '$1\\')
    .replaceAll(NUMBERED, '$1\\')
    .replaceAll(REFERENCE, '\\<');
}
