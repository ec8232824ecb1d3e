import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut } from '../../src/core/channels/outbound/cut.js';
import type { PartText } from '../../src/core/channels/driver.js';
import { block, expectInOrder, inline, join, longCode } from './generated-markdown.js';

/** The number of generated texts; `npm run test:long` raises it. */
export const RUNS = process.env['LONG'] ? 1_000 : 100;

/** The markup of a platform. */
export interface Markup {
  markUp(texts: readonly PartText[]): string;
  measure(texts: readonly PartText[]): number;
  /** The length for which {@link measure} measures. */
  readonly limit: number;
  /** Returns the length that the platform counts. */
  lengthOf(marked: string): number;
  /** Returns what people see. Asserts that the platform reads every mark as it is meant. */
  read(marked: string): string;
  /** As {@link read}, for a text of arbitrary characters, where some platforms promise less. Default: the same. */
  readAny?(marked: string, source?: string): string;
  /** Texts in Markdown, and with the markup of the platform. */
  readonly examples: readonly (readonly [source: string, marked: string])[];
}

const ARBITRARY = fc.string({
  unit: fc.constantFrom(...'*_~`[]()<>&"!|#-+.:\n 1aä\\@'.split(''), '👩‍👩‍👧', '```\n', '> ', '](http://x)', '<!channel>'),
  maxLength: 200,
});
const DEEP = [
  '> '.repeat(2_000),
  '['.repeat(5_000),
  '- '.repeat(500),
  '**a'.repeat(2_000),
  '`'.repeat(5_000),
  '`a '.repeat(2_000),
];

/** Returns a text of Markdown as the only one of a message. */
export const markdown = (text: string): PartText[] => [{ kind: 'markdown', text }];

/** Declares the tests that are the same for the markup of every platform. */
export function testMarkup({ markUp, measure, limit, lengthOf, read, readAny = read, examples }: Markup): void {
  describe('of Markdown', () => {
    it('is balanced and preserves the text', () => {
      fc.assert(
        fc.property(fc.array(block, { minLength: 1, maxLength: 4 }).map(join('\n\n')), ({ source, words }) => {
          expectInOrder(read(markUp(markdown(source))), words);
        }),
        { numRuns: RUNS },
      );
    });

    it('of arbitrary characters can be read', () => {
      fc.assert(
        fc.property(ARBITRARY, (source) => {
          readAny(markUp(markdown(source)), source);
        }),
        { numRuns: RUNS },
      );
    });

    it('keeps the limit in each part of a long text', () => {
      fc.assert(
        fc.property(
          fc
            .array(
              fc.oneof(
                { arbitrary: block, weight: 9 },
                { arbitrary: inline, weight: 9 },
                { arbitrary: longCode, weight: 1 },
              ),
              { minLength: 40, maxLength: 120 },
            )
            .map(join('\n\n')),
          ({ source, words }) => {
            const parts = cut(markdown(source), limit, measure).map(markUp);
            for (const marked of parts) expect(lengthOf(marked)).toBeLessThanOrEqual(limit);
            expectInOrder(parts.map((marked) => readAny(marked)).join('\n'), words);
          },
        ),
        { numRuns: RUNS / 10 },
      );
    });

    it.each(examples)('shows %j', (source, marked) => {
      expect(markUp(markdown(source))).toBe(marked);
      readAny(marked, source);
    });

    it('ends where it is nested deeply', () => {
      for (const source of DEEP) readAny(markUp(markdown(source)), source);
    });
  });
}
