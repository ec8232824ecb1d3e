import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import type { Dialect } from '../markdown/dialect.js';
import { measureMarked } from '../markdown/measure.js';
import { translate } from '../markdown/translate.js';

/**
 * Maximum length of a text, in bytes, escaped and with its markup. Slack takes 4,000 in an edit, and longer ones only in a
 * first message.
 */
export const MAX_LENGTH = 3_900;

const SAFE_LINK = /^(https?:\/\/|mailto:|tel:)[^\s]/i;
const FENCE = '```';
/** Separates backticks that would end a block of code. */
const INVISIBLE = '\u200B';
const MARKS = { strong: '*', em: '_', del: '~' } as const;

const dialect: Dialect = {
  wholeWords: true,
  plainLinks: true,
  escape,
  // Backticks that were escaped one by one.
  inline: breakFences,
  mark: (mark, text) => surround(MARKS[mark], text),
  codeSpan: (text) => surround('`', escape(text)),
  heading: (text) => surround('*', text),
  smallPrint: (text) => surround('_', escape(text)),
  code: (text) => `${FENCE}\n${escape(text)}\n${FENCE}`,

  link({ words, href }) {
    if (!SAFE_LINK.test(href)) return undefined;
    const text = words.trim().replaceAll(/\s+/g, ' ');
    return text === escape(href) ? `<${toUrl(href)}>` : `<${toUrl(href)}|${text}>`;
  },

  // Slack knows no quote within a quote.
  quote: (text) => changeLines(text, (line) => (line.startsWith('> ') ? line : `> ${line}`)),

  item([head = '', ...rest], { number, checkbox }) {
    const start = `${number}${checkbox}` || '• ';
    // A block of code begins on a line of its own.
    const first = `${start}${head.startsWith(FENCE) ? '\n' : ''}${head}`;
    return [first, ...rest.map((block) => changeLines(block, indent))].join('\n');
  },
};

/**
 * Returns the texts of one message in Slack's mrkdwn. Only `&`, `<` and `>` are escaped, and always, so that no text of an
 * agent mentions anybody. What cannot be parsed, or is too long with its markup, is shown as it was written.
 */
export function markUp(texts: readonly PartText[]): string {
  const marked = translate(texts, dialect);
  return Buffer.byteLength(marked) <= MAX_LENGTH ? marked : escape(toPlainText(texts));
}

/** Returns the texts of a message that grows, as Markdown. What is appended to the texts is appended to it. */
export function toStream(texts: readonly PartText[]): string {
  const last = texts.length - 1;
  return texts
    .map(({ kind, text }, n) => {
      if (kind !== 'code') return escapeTokens(text);
      return `${FENCE}\n${escape(text)}${n < last ? `\n${FENCE}` : ''}`;
    })
    .join('\n\n');
}

/** Returns the length by which a part is cut, in bytes: the longer of its forms with and without markup. */
export function measure(texts: readonly PartText[]): number {
  const text = toPlainText(texts);
  return measureMarked(text, {
    plain: Buffer.byteLength(escape(text)),
    max: MAX_LENGTH,
    marked: () => Buffer.byteLength(translate(texts, dialect)),
  });
}

/** Escapes what Slack would take for its own, and breaks up what would begin or end a block of code. */
export function escape(text: string): string {
  return breakFences(escapeTokens(text));
}

function escapeTokens(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Returns a text without the escapes of Slack. */
export function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function breakFences(text: string): string {
  return text.replaceAll(/`(?=``)/g, `\`${INVISIBLE}`);
}

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

/** Puts a mark around each line of a text, unless it would end too early. */
function surround(mark: string, text: string): string {
  if (text.includes(mark)) return text;
  return text.replaceAll(/[^\s](?:.*[^\s])?/g, (line) => `${mark}${line}${mark}`);
}

function toUrl(href: string): string {
  return href
    .toWellFormed()
    .replaceAll(/[<>|`\s]/g, encodeURIComponent)
    .replaceAll('&', '&amp;');
}
