import type { PartText } from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/kit/text-length.js';
import type { Dialect } from '../markdown/dialect.js';
import { measureMarked } from '../markdown/measure.js';
import { translate } from '../markdown/translate.js';

/** The platform's limit of a text, in characters. */
export const MAX_LENGTH = 4_096;

const FENCE = '```';
const MARKS = { strong: '*', em: '_', del: '~' } as const;

const dialect: Dialect = {
  wholeWords: true,
  // WhatsApp has no way to escape a mark: one of a text that is none stays as it was written.
  escape: (text) => text,
  mark: (mark, text) => surround(MARKS[mark], text),
  codeSpan: (text) => surround('`', text),
  heading: (text) => surround('*', text),
  smallPrint: (text) => surround('_', text),

  // A text with a fence of its own would end the block; it is shown as it is.
  code: (text) => (text.includes(FENCE) ? text : `${FENCE}\n${text}\n${FENCE}`),

  // A block of code is not quoted: its fence would not begin a line.
  quote: (text) => (hasCode(text) ? text : text.replaceAll(/^/gm, '> ')),

  item([head = '', ...rest], { number, checkbox }) {
    const first = `${number || '- '}${checkbox}${hasCode(head) ? '\n' : ''}${head}`;
    return [first, ...rest.map((block) => (hasCode(block) ? block : block.replaceAll(/^/gm, '  ')))].join('\n');
  },
};

/**
 * Returns the texts of one message with WhatsApp's markup: `*bold*`, `_italic_`, `~struck~`, backticks, `> ` and lists.
 * Marks are set only where they cannot be taken for others. What cannot be parsed, or is too long with its markup, is shown
 * as it was written.
 */
export function markUp(texts: readonly PartText[]): string {
  const marked = translate(texts, dialect);
  return marked.length <= MAX_LENGTH ? marked : toPlainText(texts);
}

/** Returns the length by which a part is cut: the longer of its forms with and without markup. */
export function measure(texts: readonly PartText[], maxLength = MAX_LENGTH): number {
  const text = toPlainText(texts);
  return measureMarked(text, { plain: text.length, max: maxLength, marked: () => translate(texts, dialect).length });
}

const hasCode = (block: string) => block.includes(FENCE);

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
