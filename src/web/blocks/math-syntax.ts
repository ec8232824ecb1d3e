import type { TokenizerAndRendererExtension, Tokens } from 'marked';

/** Longest formula, in UTF-16 units. A longer one stays text. */
const MAX_LENGTH = 5_000;

/** A formula, as it was written. */
interface MathToken extends Tokens.Generic {
  readonly type: 'math' | 'mathBlock';
  readonly raw: string;
}

const DISPLAY = [
  ['$$', '$$'],
  ['\\[', '\\]'],
] as const;

/**
 * Formulas in Markdown: `$…$` and `\(…\)` in a line, `$$…$$` and `\[…\]` set apart. They are found before Markdown's
 * escapes, which would take the backslash away. In `$…$` no space stands inside the dollars and no digit, Latin letter
 * or brace behind them, so that "$5 and $10", `$HOME:$PATH` and `${A}:${B}` stay text, nor do calls of a shell become one,
 * `$(a)/$(b)`; and no backtick stands inside, so that code after a price stays code.
 */
export function mathExtensions(escapeHtml: (text: string) => string): TokenizerAndRendererExtension[] {
  return [
    {
      name: 'mathBlock',
      level: 'block',
      start: findNextBlock,
      tokenizer(src): MathToken | undefined {
        const raw = findBlock(src);
        return raw === undefined ? undefined : { type: 'mathBlock', raw, text: raw.trim() };
      },
      renderer: ({ text }) => `<p class="math">${escapeHtml(String(text))}</p>\n`,
    },
    {
      name: 'math',
      level: 'inline',
      start: (src) => findStart(src),
      tokenizer(src): MathToken | undefined {
        const raw = findDisplay(src, 0) ?? findInline(src);
        return raw === undefined ? undefined : { type: 'math', raw };
      },
      renderer: ({ raw }) => `<span class="math">${escapeHtml(raw)}</span>`,
    },
  ];
}

/** Hides formulas from the search for emphasis: a star in a formula is not Markdown. */
export function maskMath(src: string): string {
  let masked = '';
  for (let at = 0; at < src.length;) {
    const start = findStart(src.slice(at));
    if (start === undefined) return masked + src.slice(at);
    masked += src.slice(at, at + start);
    const rest = src.slice(at + start);
    const raw = findDisplay(rest, 0) ?? findInline(rest) ?? rest.slice(0, 1);
    masked += raw.length > 1 ? 'a'.repeat(raw.length) : raw;
    at += start + raw.length;
  }
  return masked;
}

/**
 * Returns where the next line begins that starts a formula set apart, up to the end of the paragraph. `src` begins within
 * a line. A line that only looks like one must not be returned: Markdown would read the rest of the paragraph again.
 */
function findNextBlock(src: string): number | undefined {
  for (const line of src.matchAll(/\n(?: {0,3}(?:\$\$|\\\[)|[ \t]*(?=\n))/g)) {
    if (line[0].trim() === '') return undefined;
    if (findBlock(src.slice(line.index + 1)) !== undefined) return line.index + 1;
  }
  return undefined;
}

/** Returns the formula set apart with which `src` begins, with its indent and the line breaks after it. */
function findBlock(src: string): string | undefined {
  const [indent = ''] = /^ {0,3}/.exec(src) ?? [];
  const formula = findDisplay(src, indent.length);
  const [rest] = formula === undefined ? [] : (/^[ \t]*(?:\n+|$)/.exec(src.slice(formula.length)) ?? []);
  return formula === undefined || rest === undefined ? undefined : formula + rest;
}

function findStart(src: string): number | undefined {
  const start = src.search(/\$|\\[([]/);
  return start === -1 ? undefined : start;
}

/** Returns the formula that is set apart and begins after `indent`; undefined if there is none. */
function findDisplay(src: string, indent: number): string | undefined {
  for (const [open, close] of DISPLAY) {
    if (!src.startsWith(open, indent)) continue;
    const end = findClose(src, indent + open.length, close);
    if (end !== undefined) return src.slice(0, end + close.length);
  }
  return undefined;
}

function findInline(src: string): string | undefined {
  if (src.startsWith('\\(')) {
    const end = findClose(src, 2, '\\)');
    return end === undefined ? undefined : src.slice(0, end + 2);
  }
  if (!/^\$[^\s$]/.test(src)) return undefined;
  const line = src.slice(0, MAX_LENGTH).split('\n', 1)[0] ?? '';
  return /^(?!\$\([^$]*\$\()\$(?:\\.|[^\\$`])*?(?:\\.|[^\s\\$`])\$(?![\w{])/.exec(line)?.[0];
}

/** Returns where the formula that begins at `from` ends; undefined if what stands there is not one. */
function findClose(src: string, from: number, close: string): number | undefined {
  const text = src.slice(from, from + MAX_LENGTH + close.length);
  const length = text.indexOf(close);
  const formula = text.slice(0, length);
  return length === -1 || formula.trim() === '' || formula.includes('\n\n') ? undefined : from + length;
}

/** Returns the TeX of a formula that was written with its delimiters, and whether it is set apart. */
export function readFormula(source: string): { readonly tex: string; readonly isDisplay: boolean } {
  const isDisplay = DISPLAY.some(([open]) => source.startsWith(open));
  const width = isDisplay || source.startsWith('\\') ? 2 : 1;
  return { tex: source.slice(width, -width).trim(), isDisplay };
}
