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
 * escapes, which would take the backslash away. In `$…$` no space stands inside the dollars and no digit behind them, so
 * that "$5 and $10" stays text.
 */
export function mathExtensions(escapeHtml: (text: string) => string): TokenizerAndRendererExtension[] {
  return [
    {
      name: 'mathBlock',
      level: 'block',
      start: (src) => /^ {0,3}(?:\$\$|\\\[)/m.exec(src)?.index,
      tokenizer(src): MathToken | undefined {
        const [indent = ''] = /^ {0,3}/.exec(src) ?? [];
        const formula = findDisplay(src, indent.length);
        const [rest] = formula === undefined ? [undefined] : (/^[ \t]*(?:\n+|$)/.exec(src.slice(formula.length)) ?? []);
        if (formula === undefined || rest === undefined) return undefined;
        return { type: 'mathBlock', raw: formula + rest, text: formula.trim() };
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

function findStart(src: string): number | undefined {
  const start = src.search(/\$|\\[([]/);
  return start === -1 ? undefined : start;
}

/** Returns the formula that is set apart and begins after `indent`; undefined if there is none. */
function findDisplay(src: string, indent: number): string | undefined {
  for (const [open, close] of DISPLAY) {
    if (!src.startsWith(open, indent)) continue;
    const end = src.indexOf(close, indent + open.length);
    if (isFormula(src, indent + open.length, end)) return src.slice(0, end + close.length);
  }
  return undefined;
}

function findInline(src: string): string | undefined {
  if (src.startsWith('\\(')) {
    const end = src.indexOf('\\)', 2);
    return isFormula(src, 2, end) ? src.slice(0, end + 2) : undefined;
  }
  if (!/^\$[^\s$]/.test(src)) return undefined;
  const line = src.slice(0, MAX_LENGTH).split('\n', 1)[0] ?? '';
  return /^\$(?:\\.|[^\\$])*?(?:\\.|[^\s\\$])\$(?!\d)/.exec(line)?.[0];
}

function isFormula(src: string, from: number, end: number): boolean {
  return (
    end !== -1 &&
    end - from <= MAX_LENGTH &&
    src.slice(from, end).trim() !== '' &&
    !src.slice(from, end).includes('\n\n')
  );
}

/** Returns the TeX of a formula that was written with its delimiters, and whether it is set apart. */
export function readFormula(source: string): { readonly tex: string; readonly isDisplay: boolean } {
  const isDisplay = DISPLAY.some(([open]) => source.startsWith(open));
  const width = isDisplay || source.startsWith('\\') ? 2 : 1;
  return { tex: source.slice(width, -width).trim(), isDisplay };
}
