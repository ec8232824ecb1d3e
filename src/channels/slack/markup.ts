import { lexer, type Token, type Tokens } from 'marked';
import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';

/**
 * Maximum length of a text, in bytes, escaped and with its markup. Slack takes 4,000 in an edit, and longer ones only in a
 * first message.
 */
export const MAX_LENGTH = 3_900;

/** Deeper nesting is shown as it was written. */
const MAX_DEPTH = 12;
/** What markup can add to a line of a text that has no table, in bytes: the mark of an item, spaces before it. */
const MAX_ADDED_TO_LINE = 4 * MAX_DEPTH;
const MAY_BE_TABLE = /^[ \t|:>-]*-[ \t|:-]*$/m;
const SAFE_LINK = /^(https?:\/\/|mailto:|tel:)[^\s]/i;
const FENCE = '```';
/** Separates backticks that would end a block of code. */
const INVISIBLE = '\u200B';

/**
 * Returns the texts of one message in Slack's mrkdwn. Only `&`, `<` and `>` are escaped, and always, so that no text of an
 * agent mentions anybody. What cannot be parsed, or is too long with its markup, is shown as it was written.
 */
export function markUp(texts: readonly PartText[]): string {
  const marked = texts.map(markUpText).join('\n\n');
  return Buffer.byteLength(marked) <= MAX_LENGTH ? marked : escape(toPlainText(texts));
}

/** Returns the length by which a part is cut, in bytes: the longer of its forms with and without markup. */
export function measure(texts: readonly PartText[]): number {
  const text = toPlainText(texts);
  const plain = Buffer.byteLength(escape(text));
  const lines = text.split('\n').length;
  const mayGrow = plain + lines * MAX_ADDED_TO_LINE > MAX_LENGTH || MAY_BE_TABLE.test(text);
  // What does not fit without its markup needs no look at it.
  if (plain > MAX_LENGTH || !mayGrow) return plain;
  return Math.max(plain, Buffer.byteLength(texts.map(markUpText).join('\n\n')));
}

/** Escapes what Slack would take for its own, and breaks up what would begin or end a block of code. */
export function escape(text: string): string {
  const whole = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return breakFences(whole);
}

function breakFences(text: string): string {
  return text.replaceAll(/`(?=``)/g, `\`${INVISIBLE}`);
}

function markUpText({ kind, text }: PartText): string {
  switch (kind) {
    case 'markdown':
      return markUpMarkdown(text);
    case 'code':
      return toCode(text);
    case 'status':
    case 'image':
    case 'audio':
    case 'file':
      return emphasize('_', escape(text));
    case 'text':
      return escape(text);
  }
}

function markUpMarkdown(text: string): string {
  try {
    const marked = toBlocks(lexer(text), 0);
    // A text that is nothing but definitions of links would be empty.
    return marked.trim() === '' ? escape(text) : marked;
  } catch {
    return escape(text);
  }
}

function toBlocks(tokens: readonly Token[], depth: number): string {
  return tokens
    .map((token) => toBlock(token, depth))
    .filter((block) => block !== '')
    .join('\n\n');
}

function toBlock(token: Token, depth: number): string {
  if (depth > MAX_DEPTH) return escape(token.raw.trim());
  switch (token.type) {
    case 'space':
    case 'def':
      return '';
    case 'heading':
      return emphasize('*', toInline(childrenOf(token), { depth: 0, open: new Set('*') }));
    case 'code':
      return toCode((token as Tokens.Code).text);
    case 'blockquote':
      return changeLines(toBlocks(childrenOf(token) ?? [], depth + 1), quote);
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
      return escape(token.raw.trim());
  }
}

/** Slack knows no quote within a quote. */
const quote = (line: string) => (line.startsWith('> ') ? line : `> ${line}`);
const indent = (line: string) => (line === '' ? line : `    ${line}`);

/** Changes the lines that are not of a block of code. */
function changeLines(text: string, change: (line: string) => string): string {
  let isCode = false;
  const lines = text.split('\n').map((line) => {
    const isFence = line === FENCE;
    if (isFence) isCode = !isCode;
    return isFence || isCode ? line : change(line);
  });
  return lines.join('\n');
}

function toList({ items, ordered, start, loose }: Tokens.List, depth: number): string {
  const first = start === '' ? 1 : start;
  const lines = items.map((item, n) => {
    const checkbox = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    const mark = ordered ? `${first + n}. ` : checkbox === '' ? '• ' : '';
    const blocks = item.tokens.filter(({ type }) => type !== 'checkbox').map((token) => toBlock(token, depth));
    const [head = '', ...rest] = blocks.filter((block) => block !== '');
    const body = [head, ...rest.map((block) => changeLines(block, indent))].join('\n');
    // A block of code begins on a line of its own.
    return `${mark}${checkbox}${head.startsWith(FENCE) ? '\n' : ''}${body}`;
  });
  return lines.join(loose ? '\n\n' : '\n');
}

/** Returns a table as text whose columns are aligned. */
function toTable({ header, rows, align }: Tokens.Table): string {
  const cells = [header, ...rows].map((row) => row.map(({ tokens }) => toVisibleText(toInline(tokens, PLAIN))));
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

/** Where an inline token stands: a mark is not opened within itself. */
interface InlinePlace {
  readonly depth: number;
  readonly open: ReadonlySet<string>;
}

const TOP: InlinePlace = { depth: 0, open: new Set() };
/** Where nothing is marked. */
const PLAIN: InlinePlace = { depth: 0, open: new Set('*_~`<') };
const MARKS: Readonly<Record<string, string>> = { strong: '*', em: '_', del: '~', codespan: '`' };
const ALL_MARKS: ReadonlySet<string> = new Set(Object.values(MARKS));
const WORD = /[\p{L}\p{N}\p{M}_*~`]/u;

/** Slack marks whole words only. */
function toInline(tokens: readonly Token[] = [], place: InlinePlace): string {
  let text = '';
  for (const [n, token] of tokens.entries()) {
    const isInWord = WORD.test(text.at(-1) ?? ' ') || WORD.test(tokens[n + 1]?.raw.at(0) ?? ' ');
    text += toInlineToken(token, isInWord ? { ...place, open: place.open.union(ALL_MARKS) } : place);
  }
  // Backticks that were escaped one by one.
  return breakFences(text);
}

function toInlineToken(token: Token, place: InlinePlace): string {
  if (place.depth > MAX_DEPTH) return escape(token.raw);
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
    case 'codespan':
      return toMarked(token, place);
    case 'br':
      return '\n';
    case 'link':
    case 'image':
      return toLink(token as Tokens.Link, place);
    case 'text':
    case 'escape': {
      const children = childrenOf(token);
      return children ? toInline(children, { ...place, depth: place.depth + 1 }) : escape((token as Tokens.Text).text);
    }
    default:
      return escape(token.raw);
  }
}

function toMarked(token: Token, { depth, open }: InlinePlace): string {
  const mark = MARKS[token.type] ?? '';
  if (token.type === 'codespan') {
    const { text } = token as Tokens.Codespan;
    return open.has(mark) ? escape(text) : emphasize(mark, escape(text));
  }
  const inner = toInline(childrenOf(token), { depth: depth + 1, open: new Set([...open, mark]) });
  return open.has(mark) ? inner : emphasize(mark, inner);
}

/** Puts a mark around each line of a text, unless it would end too early. */
function emphasize(mark: string, text: string): string {
  if (text.includes(mark)) return text;
  return text.replaceAll(/[^\s](?:.*[^\s])?/g, (line) => `${mark}${line}${mark}`);
}

/** The words of a link are plain: Slack shows no marks there. */
function toLink({ href, text, tokens, raw }: Tokens.Link, place: InlinePlace): string {
  const children = tokens && tokens.length > 0 ? tokens : undefined;
  if (place.open.has('<')) return children ? toInline(children, place) : escape(text);
  const words = (children ? toInline(children, { ...PLAIN, depth: place.depth + 1 }) : escape(text)).trim();
  if (words === '') return escape(raw);
  if (words === escape(href)) return SAFE_LINK.test(href) ? `<${toUrl(href)}>` : words;
  if (!SAFE_LINK.test(href)) return `${words} (${escape(href)})`;
  return `<${toUrl(href)}|${words.replaceAll(/\s+/g, ' ')}>`;
}

function toUrl(href: string): string {
  return href
    .toWellFormed()
    .replaceAll(/[<>|`\s]/g, encodeURIComponent)
    .replaceAll('&', '&amp;');
}

function toCode(text: string): string {
  return text.trim() === '' ? escape(text) : `${FENCE}\n${escape(text)}\n${FENCE}`;
}

/** Returns what people see of a text without marks. */
function toVisibleText(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function childrenOf(token: Token): readonly Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}
