import type { Figure } from '../figures.ts';
import type { Measurements } from './results.ts';
import { format, judge, type Verdict } from './table.ts';

const ROW = 34;
const TOP = 46;
const LABELS = 46;
const BARS = 560;
const VALUES = 150;
const BAR_HEIGHT = 16;

/** The right end of the scale, in multiples of the goal; longer bars are truncated and identified by their number. */
const MAX_RATIO = 3;

/** Mid-tones that are visible on white and on black. */
const COLOURS: Record<Verdict, string> = { stretch: '#2f9e63', goal: '#3b82c4', missed: '#d9622b' };
const INK = '#808080';

/**
 * Draws one bar per figure: its median as a fraction of its goal, its spread as a thin line, its stretch goal as a
 * tick.
 */
export function plot(figures: readonly Figure[], measurements: Measurements): string {
  const shown = figures.filter(({ id }) => measurements[id]);
  const width = LABELS + BARS + VALUES;
  const height = TOP + shown.length * ROW + 12;
  const goalAt = LABELS + BARS / MAX_RATIO;
  const rows = shown.map((figure, n) => plotRow(figure, measurements, TOP + n * ROW));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="13">
<title id="title">Each figure as a fraction of its goal; shorter is better</title>
<text x="${goalAt}" y="16" text-anchor="middle" fill="${INK}">goal</text>
<text x="${LABELS}" y="16" fill="${INK}">0</text>
<text x="${LABELS + BARS}" y="16" text-anchor="end" fill="${INK}">${MAX_RATIO} times the goal, or more</text>
${rows.join('\n')}
<line x1="${goalAt}" y1="24" x2="${goalAt}" y2="${height - 8}" stroke="${INK}" stroke-width="1.5"/>
</svg>
`;
}

function plotRow(figure: Figure, measurements: Measurements, y: number): string {
  const { median, min, max } = measurements[figure.id] ?? { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  const at = (value: number) => (LABELS + (Math.min(value / figure.goal, MAX_RATIO) / MAX_RATIO) * BARS).toFixed(1);
  const middle = y + BAR_HEIGHT / 2;
  const length = (Number(at(median)) - LABELS).toFixed(1);
  return [
    `<g><title>${figure.id}: ${format(median, figure.unit)}, goal ${format(figure.goal, figure.unit)}</title>`,
    `<text x="0" y="${middle + 5}" fill="${INK}">${figure.id}</text>`,
    `<rect x="${LABELS}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="2" fill="${COLOURS[judge(figure, median)]}"/>`,
    `<line x1="${at(min)}" y1="${middle}" x2="${at(max)}" y2="${middle}" stroke="${INK}" stroke-width="2"/>`,
    `<line x1="${at(figure.stretch)}" y1="${y - 3}" x2="${at(figure.stretch)}" y2="${y + BAR_HEIGHT + 3}" stroke="${INK}" stroke-dasharray="2 2"/>`,
    `<text x="${LABELS + BARS + 10}" y="${middle + 5}" fill="${INK}">${format(median, figure.unit)} (goal ${format(figure.goal)})</text></g>`,
  ].join('');
}
