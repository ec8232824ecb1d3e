import { UsageError } from './faults.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads the value of an option as milliseconds. @throws UsageError of `command` */
export function readDuration(command: string, option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined)
    throw new UsageError(`${option} must be a duration, such as 500ms, 10s, 5m, 1h or 2d`, command);
  return Number(count) * (UNITS[unit] ?? 1);
}
