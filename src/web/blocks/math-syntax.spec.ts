import { describe, expect, it } from 'vitest';
import { MarkdownSplitter } from './markdown-splitter.js';
import { readFormula } from './math-syntax.js';

/** Returns the formulas that a Markdown text contains, as they were written. */
const formulas = (text: string) => {
  const pieces = new MarkdownSplitter().split(text);
  const html = pieces.map((piece) => (piece.kind === 'prose' ? piece.html : '')).join('');
  return [...html.matchAll(/<(?:span|p) class="math">([^<]*)</g)].map(([, source]) => source);
};

describe('formulas in Markdown', () => {
  it.each([
    ['$x^2$', ['$x^2$']],
    ['Costs $5 and $10', []],
    ['Between $5, $6 and 7$', ['$6 and 7$']],
    ['$ x $ and $x $', []],
    ['$a$1', []],
    ['export PATH=$HOME:$PATH', []],
    ['${A}:${B} and $(pwd)/$(id)', []],
    ['値は$x$です', ['$x$']],
    ['($a$, $b$)', ['$a$', '$b$']],
    ['$(a, b)$ and $(c)$', ['$(a, b)$', '$(c)$']],
    ['a `$x$` b', []],
    ['Costs $10, see `$HOME` and `$x$`', []],
    ['\\$x$', []],
    ['$a*b$ and $c*d$', ['$a*b$', '$c*d$']],
    ['2 *x $a*b$ y*', ['$a*b$']],
    ['\\(a_1 \\le b\\) and \\[c\\]', ['\\(a_1 \\le b\\)', '\\[c\\]']],
    ['$$\n\\int_0^1 x\n$$', ['$$\n\\int_0^1 x\n$$']],
    ['Text\n\\[\na\n\\]\nmore', ['\\[\na\n\\]']],
    ['so $$x$$ is', ['$$x$$']],
    ['$a\\$b$', ['$a\\$b$']],
    ['$x', []],
    ['$$', []],
    ['\\(', []],
    ['\\( \\)', []],
    ['| $a$ | b |\n|---|---|\n| $c$ | d |', ['$a$', '$c$']],
    [`$${'x'.repeat(6_000)}$`, []],
  ])('%j has %j', (text, expected) => expect(formulas(text)).toEqual(expected));

  it('keep HTML as text', () => {
    expect(formulas('$a<img src=x onerror=alert(1)>b$')).toEqual(['$a&lt;img src=x onerror=alert(1)&gt;b$']);
  });

  // A time that grows with the square of the length would take minutes.
  it.each(['$', '\\[', '\\(', '$$ ', '$a\\', '$a$1', '\n$$', '\n\\[\n', 'a\n\n'])(
    'are found in linear time: many of %j',
    (part) => {
      expect(formulas(part.repeat(100_000 / part.length))).toBeDefined();
    },
  );

  it('give their TeX without the delimiters', () => {
    expect(readFormula('$x$')).toEqual({ tex: 'x', isDisplay: false });
    expect(readFormula('\\[ x \\]')).toEqual({ tex: 'x', isDisplay: true });
    expect(readFormula('\\(x\\)')).toEqual({ tex: 'x', isDisplay: false });
    expect(readFormula('$$x$$')).toEqual({ tex: 'x', isDisplay: true });
  });
});
