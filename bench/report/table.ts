import type { Figure } from '../figures.ts';
import type { Measurements } from './results.ts';

export type Verdict = 'stretch' | 'goal' | 'missed';

/** Compares a value with its goals. */
export function judge({ goal, stretch }: Figure, value: number): Verdict {
  if (value <= stretch) return 'stretch';
  return value <= goal ? 'goal' : 'missed';
}

/** Formats a value with a suitable number of digits. */
export function format(value: number, unit = ''): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 ? 2 : 3;
  return `${value.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`;
}

/** Formats the results for a terminal. */
export function printTable(figures: readonly Figure[], measurements: Measurements): string {
  const rows = figures.flatMap((figure) => {
    const summary = measurements[figure.id];
    if (!summary) return [];
    const { median, min, max } = summary;
    const cells = [
      format(median),
      `${format(min)} to ${format(max)}`,
      format(figure.goal),
      format(figure.stretch),
      judge(figure, median),
    ];
    return [`${figure.id.padEnd(5)}${cells.map((cell) => cell.padEnd(16)).join('')}${figure.title}`];
  });
  const ids = new Set(figures.map(({ id }) => id));
  const details = Object.entries(measurements).flatMap(([name, { median }]) =>
    ids.has(name) ? [] : [`     ${format(median).padEnd(16)}${name}`],
  );
  const head = `${''.padEnd(5)}${['median', 'spread', 'goal', 'stretch', 'reached'].map((cell) => cell.padEnd(16)).join('')}`;
  return `${[head, ...rows, '', ...details].join('\n')}\n`;
}
