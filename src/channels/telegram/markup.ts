import { lexer, type Token, type Tokens } from 'marked';
import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';

/** A text for `parse_mode: HTML`. */
export interface MarkedText {
  readonly html: string;
  /** Number of UTF-16 units that people see: Telegram counts them, without tags. */
  readonly length: number;
}

/** Deeper nesting is shown as it was written. */
const MAX_DEPTH = 12;
/** Longer texts are shown as they were written: the parser may need much time for them. */
const MAX_PARSED_LENGTH = 20_000;

const MAY_BE_TABLE = /^[ \t|:>-]*-[ \t|:-]*$/m;
const SAFE_LINK = /^(https?|tg|mailto|tel):/i;

/** Marks up the texts of one message. What cannot be parsed is shown as it was written. */
export function markUp(texts: readonly PartText[]): MarkedText {
  const html = texts.map(markUpText).join('\n\n');
  return { html, length: toVisibleText(html).length };
}

/**
 * Returns the length by which a part is cut: the longer of its forms with and without markup. Only a table is longer with
 * it, so no other text is parsed here.
 */
export function measure(texts: readonly PartText[]): number {
  const plain = toPlainText(texts).length;
  return texts.some(({ text }) => MAY_BE_TABLE.test(text)) ? Math.max(markUp(texts).length, plain) : plain;
}

/** Returns what people see of a marked-up text. */
export function toVisibleText(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

function markUpText({ kind, text, language }: PartText): string {
  switch (kind) {
    case 'markdown':
      return markUpMarkdown(text);
    case 'code':
      return toPre(text, language);
    case 'status':
    case 'image':
    case 'audio':
    case 'file':
      return text.trim() === '' ? escape(text) : `<i>${escape(text)}</i>`;
    case 'text':
      return escape(text);
  }
}

function markUpMarkdown(text: string): string {
  if (text.length > MAX_PARSED_LENGTH) return escape(text);
  try {
    const html = toBlocks(lexer(text), { depth: 0, isQuoted: false });
    // A text that is nothing but definitions of links would be empty.
    return toVisibleText(html).trim() === '' ? escape(text) : html;
  } catch {
    return escape(text);
  }
}

/** Where a token stands. */
interface Place {
  readonly depth: number;
  /** Telegram knows no quote within a quote. */
  readonly isQuoted: boolean;
}

function toBlocks(tokens: readonly Token[], place: Place): string {
  return tokens
    .map((token) => toBlock(token, place))
    .filter((html) => html !== '')
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
      return toTag('b', toInline(childrenOf(token), { depth: 0, open: new Set(['b']) }));
    case 'code': {
      const { text, lang } = token as Tokens.Code;
      return toPre(text, lang);
    }
    case 'blockquote':
      return toQuote(childrenOf(token), inner);
    case 'list':
      return toList(token as Tokens.List, inner);
    case 'table':
      return toPre(toTable(token as Tokens.Table));
    case 'hr':
      return '———';
    case 'paragraph':
    case 'text':
      return toInline(childrenOf(token) ?? [token], { depth: 0, open: new Set() });
    default:
      return escape(token.raw.trim());
  }
}

function toQuote(tokens: readonly Token[] | undefined, place: Place): string {
  const html = toBlocks(tokens ?? [], { ...place, isQuoted: true });
  if (!place.isQuoted) return toTag('blockquote', html);
  return html === '' ? '' : `› ${html}`;
}

function toList({ items, ordered, start, loose }: Tokens.List, place: Place): string {
  const first = start === '' ? 1 : start;
  const lines = items.map((item, n) => {
    const checkbox = item.task ? (item.checked ? '☑ ' : '☐ ') : '';
    const mark = ordered ? `${first + n}. ` : checkbox === '' ? '• ' : '';
    const blocks = item.tokens.filter(({ type }) => type !== 'checkbox').map((token) => toBlock(token, place));
    const [head = '', ...rest] = blocks.filter((html) => html !== '');
    const body = [head, ...rest.map((html) => (isPre(html) ? html : indent(html)))].join('\n');
    return `${mark}${checkbox}${body}`;
  });
  return lines.join(loose ? '\n\n' : '\n');
}

const isPre = (html: string) => html.startsWith('<pre>');
const indent = (html: string) => html.replaceAll(/^(?!<pre>)/gm, '  ');

/** Returns a table as text whose columns are aligned. */
function toTable({ header, rows, align }: Tokens.Table): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => toVisibleText(toInline(cell.tokens, TOP))));
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

/** Where an inline token stands: a tag is not opened within itself. */
interface InlinePlace {
  readonly depth: number;
  readonly open: ReadonlySet<string>;
}

const TOP: InlinePlace = { depth: 0, open: new Set() };
const TAGS: Readonly<Record<string, string>> = { strong: 'b', em: 'i', del: 's' };

function toInline(tokens: readonly Token[] | undefined, place: InlinePlace): string {
  return (tokens ?? []).map((token) => toInlineToken(token, place)).join('');
}

function toInlineToken(token: Token, place: InlinePlace): string {
  if (place.depth > MAX_DEPTH) return escape(token.raw);
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return toTag(TAGS[token.type] ?? '', childrenOf(token), place);
    case 'codespan':
      return toTag('code', escape((token as Tokens.Codespan).text));
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

function toLink({ href, text, tokens, raw }: Tokens.Link, place: InlinePlace): string {
  const inner = tokens && tokens.length > 0 ? toInline(tokens, descend(place, 'a')) : escape(text);
  if (place.open.has('a') || inner.trim() === '') return inner.trim() === '' ? escape(raw) : inner;
  if (!SAFE_LINK.test(href)) return inner === escape(href) ? inner : `${inner} (${escape(href)})`;
  return `<a href="${escape(href)}">${inner}</a>`;
}

/** Returns a tag around a text; nothing for an empty one, which Telegram refuses. */
function toTag(tag: string, content: string | readonly Token[] | undefined, place: InlinePlace = TOP): string {
  const inner = typeof content === 'string' ? content : toInline(content, descend(place, tag));
  return inner === '' || place.open.has(tag) ? inner : `<${tag}>${inner}</${tag}>`;
}

function descend({ depth, open }: InlinePlace, tag: string): InlinePlace {
  return { depth: depth + 1, open: new Set([...open, tag]) };
}

function toPre(text: string, info = ''): string {
  const [language = ''] = /^[\w+#.-]{1,40}/.exec(info.trim()) ?? [];
  if (text.trim() === '') return escape(text);
  const code = language === '' ? escape(text) : `<code class="language-${language}">${escape(text)}</code>`;
  return `<pre>${code}</pre>`;
}

function childrenOf(token: Token): readonly Token[] | undefined {
  return 'tokens' in token ? token.tokens : undefined;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
