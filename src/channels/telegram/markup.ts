import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import type { Dialect } from '../markdown/dialect.js';
import { mayHaveTable } from '../markdown/measure.js';
import { translate } from '../markdown/translate.js';

/** A text for `parse_mode: HTML`. */
export interface MarkedText {
  readonly html: string;
  /** Number of UTF-16 units that people see: Telegram counts them, without tags. */
  readonly length: number;
}

const SAFE_LINK = /^(https?|tg|mailto|tel):/i;
const TAGS = { strong: 'b', em: 'i', del: 's' } as const;

const dialect: Dialect = {
  escape,
  mark: (mark, text) => toTag(TAGS[mark], text),
  codeSpan: (text) => toTag('code', escape(text)),
  heading: (text) => toTag('b', text),
  smallPrint: (text) => toTag('i', escape(text)),
  link: ({ words, href }) => (SAFE_LINK.test(href) ? `<a href="${escape(href)}">${words}</a>` : undefined),

  code(text, language) {
    const code = escape(text);
    return toTag('pre', language === '' ? code : `<code class="language-${language}">${code}</code>`);
  },

  // Telegram knows no quote within a quote.
  quote: (text, isQuoted) => (isQuoted ? `› ${text}` : toTag('blockquote', text)),

  item([head = '', ...rest], { number, checkbox }) {
    const start = `${number}${checkbox}` || '• ';
    return [start + head, ...rest.map((html) => (html.startsWith('<pre>') ? html : indent(html)))].join('\n');
  },
};

/** Marks up the texts of one message. What cannot be parsed is shown as it was written. */
export function markUp(texts: readonly PartText[]): MarkedText {
  const html = translate(texts, dialect);
  return { html, length: toVisibleText(html).length };
}

/**
 * Returns the length by which a part is cut: the longer of its forms with and without markup. Only a table is longer with
 * it, so no other text is parsed here.
 */
export function measure(texts: readonly PartText[]): number {
  const plain = toPlainText(texts).length;
  return texts.some(({ text }) => mayHaveTable(text)) ? Math.max(markUp(texts).length, plain) : plain;
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

const indent = (html: string) => html.replaceAll(/^(?!<pre>)/gm, '  ');

/** Returns a tag around a text; none around a blank one, which Telegram refuses. */
function toTag(tag: string, html: string): string {
  return html.trim() === '' ? html : `<${tag}>${html}</${tag}>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
