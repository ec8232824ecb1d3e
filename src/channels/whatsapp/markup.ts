import { lexer, type Token, type Tokens } from 'marked';
import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';

/** Deeper nesting is shown as it was written. */
const MAX_DEPTH = 12;
/** Longer texts are shown as they were written: the parser may need much time for them. */
const MAX_PARSED_LENGTH = 20_000;

const MAY_BE_TABLE = /^[ \t|:>-]*-[ \t|:-]*$/m;
/** What markup can add to a line of a text without a table: the mark of a quote or an item, and spaces before it. */
const MAX_ADDED_TO_LINE = 4 * MAX_DEPTH;
const FENCE = '```';
const MARKS: Readonly<Record<string, string>> = { strong: '*', em: '_', del: '~' };

/**
 * Returns the texts of one message with WhatsApp's markup: `*bold*`, `_italic_`, `~struck~`, backticks, `> ` and lists.
 * WhatsApp has no way to escape a mark, so marks are set only where they cannot be taken for others, and a mark of a text
 * that is none stays as it was written. What cannot be parsed is shown as it was written.
 */
export function markUp(texts: readonly PartText[]): string {
  return texts.map(markUpText).join('\n\n');
}

/** Returns the length by which a part is cut: the longer of its forms with and without markup. */
export function measure(texts: readonly PartText[], maxLength = 4_096): number {
  const text = toPlainText(texts);
  const lines = text.split('\n').length;
  // What does not fit without its markup needs no look at it, and what has room for any markup neither.
  const mayGrow = text.length + lines * MAX_ADDED_TO_LINE > maxLength || MAY_BE_TABLE.test(text);
  if (text.length > maxLength || !mayGrow) return text.length;
  return Math.max(markUp(texts).length, text.length);
}

function markUpText({ kind, text }: PartText): string {
  switch (kind) {
    case 'markdown':
      return markUpMarkdown(text);
    case 'code':
      return toCode(text);
    case 'text':
      return text;
    default:
      return surround('_', text);
  }
}

function markUpMarkdown(text: string): string {
  if (text.length > MAX_PARSED_LENGTH) return text;
  try {
    const marked = toBlocks(lexer(text), 0);
    // A text that is nothing but definitions of links would be empty.
    return marked.trim() === '' ? text : marked;
  } catch {
    return text;
  }
}

function toBlocks(tokens: readonly Token[], depth: number): string {
  return tokens
    .map((token) => toBlock(token, depth))
    .filter((block) => block !== '')
    .join('\n\n');
}

function toBlock(token: Token, depth: number): string {
  if (depth > MAX_DEPTH) return token.raw.trim();
  switch (token.type) {
    case 'space':
    case 'def':
      return '';
    case 'heading':
      return surround('*', toInline(childrenOf(token), { depth: 0, open: new Set(['*']) }));
    case 'code':
      return toCode((token as Tokens.Code).text);
    case 'blockquote':
      return toQuote(toBlocks(childrenOf(token) ?? [], depth + 1));
    case 'list':
      return toList(token as Tokens.List, depth + 1);
    case 'table':
      return toCode(toTable(token as Tokens.Table));
    case 'hr':
      return '———';
    case 'paragraph':
    case 'text':
      return toInline(childrenOf(token) ?? [token], TOP);
    default:
      return token.raw.trim();
  }
}

/** A block of code is not quoted: its fence would not begin a line. */
function toQuote(text: string): string {
  return isCode(text) ? text : text.replaceAll(/^/gm, '> ');
}

function toList({ items, ordered, start, loose }: Tokens.List, depth: number): string {
  const first = start === '' ? 1 : start;
  const lines = items.map((item, n) => {
    const checkbox = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    const mark = ordered ? `${first + n}. ` : '- ';
    const blocks = item.tokens.filter(({ type }) => type !== 'checkbox').map((token) => toBlock(token, depth));
    const [head = '', ...rest] = blocks.filter((block) => block !== '');
    const body = [isCode(head) ? `\n${head}` : head, ...rest.map((block) => (isCode(block) ? block : indent(block)))];
    return `${mark}${checkbox}${body.join('\n')}`;
  });
  return lines.join(loose ? '\n\n' : '\n');
}

const isCode = (block: string) => block.includes(FENCE);
const indent = (block: string) => block.replaceAll(/^/gm, '  ');

/** Returns a table as text whose columns are aligned. */
function toTable({ header, rows, align }: Tokens.Table): string {
  const cells = [header, ...rows].map((row) => row.map(({ tokens }) => toInline(tokens, PLAIN)));
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

const graphemes = new Intl.Segmenter();
const widthOf = (text: string) => Array.from(graphemes.segment(text)).length;

function pad(cell: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return isRight ? space + cell : cell + space;
}

/** Where an inline token stands: a mark is not set within itself. */
interface InlinePlace {
  readonly depth: number;
  readonly open: ReadonlySet<string>;
}

const TOP: InlinePlace = { depth: 0, open: new Set() };
/** Nothing is marked in a block of code. */
const PLAIN: InlinePlace = { depth: 0, open: new Set([...Object.values(MARKS), '`']) };

/** Tokens that are marked, with what stands before and after them: a mark within a word is none. */
function toInline(tokens: readonly Token[] | undefined, place: InlinePlace): string {
  const all = tokens ?? [];
  const plain = all.map((token) => toInlineToken(token, place));
  return plain
    .map((text, n) => {
      const mark = markOf(all[n], place);
      const isWithinWord = isWord(plain[n - 1]?.at(-1)) || isWord(plain[n + 1]?.at(0));
      return mark === undefined || isWithinWord ? text : surround(mark, text);
    })
    .join('');
}

const isWord = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}_*~`]/u.test(character);

function markOf(token: Token | undefined, { open, depth }: InlinePlace): string | undefined {
  const mark = token?.type === 'codespan' ? '`' : MARKS[token?.type ?? ''];
  return mark === undefined || open.has(mark) || depth > MAX_DEPTH ? undefined : mark;
}

function toInlineToken(token: Token, place: InlinePlace): string {
  if (place.depth > MAX_DEPTH) return token.raw;
  const depth = place.depth + 1;
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return toInline(childrenOf(token), { depth, open: new Set([...place.open, MARKS[token.type] ?? '']) });
    case 'codespan':
      return (token as Tokens.Codespan).text;
    case 'br':
      return '\n';
    case 'link':
    case 'image':
      return toLink(token as Tokens.Link, { ...place, depth });
    case 'text':
    case 'escape': {
      const children = childrenOf(token);
      return children ? toInline(children, { ...place, depth }) : (token as Tokens.Text).text;
    }
    default:
      return token.raw;
  }
}

/** WhatsApp has no links with a text: the address stands behind it. */
function toLink({ href, text, tokens, raw }: Tokens.Link, place: InlinePlace): string {
  const shown = tokens && tokens.length > 0 ? toInline(tokens, place) : text;
  if (shown.trim() === '') return raw;
  return shown === href || `mailto:${shown}` === href ? shown : `${shown} (${href})`;
}

/** Sets a mark around each line of a text, as far as it would be shown as one. */
function surround(mark: string, text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const inner = line.trim();
      if (inner === '' || inner.includes(mark)) return line;
      const start = line.length - line.trimStart().length;
      return `${line.slice(0, start)}${mark}${inner}${mark}${line.slice(start + inner.length)}`;
    })
    .join('\n');
}

/** A text with a fence of its own would end the block; it is shown as it is. */
function toCode(text: string): string {
  return text.trim() === '' || text.includes(FENCE) ? text : `${FENCE}\n${text}\n${FENCE}`;
}

function childrenOf(token: Token): readonly Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}
