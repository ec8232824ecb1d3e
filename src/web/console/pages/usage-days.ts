import type { Zone } from '../format.js';

/** The usage of models, in tokens; `cost` is in the currency of the prices that are set. */
export interface UsageSums {
  readonly answers: number;
  readonly input_tokens: number;
  readonly cached_input_tokens: number;
  readonly output_tokens: number;
  readonly cost: number;
}

/** The usage of a tenant, an agent, a model or a person. */
export interface UsageRow extends UsageSums {
  readonly tenant: string;
  readonly agent?: string;
  readonly model?: string;
  readonly channel?: string;
  readonly sender?: string;
}

/** A day, or the part of one that was asked for, in Unix milliseconds. */
export interface Day {
  readonly from: number;
  readonly to: number;
}

/** Days that are shown at most, and without a choice. */
const MAX_DAYS = 31;
const DEFAULT_DAYS = 7;

/**
 * Returns the days of a time, oldest first, as a zone has them; at most the last 31, and the last seven without a choice.
 * @param from Unix milliseconds, as text; undefined for no choice
 */
export function listDays(from: string | undefined, to: string | undefined, now: number, zone: Zone): readonly Day[] {
  const end = to === undefined ? now : Number(to);
  const begin = from === undefined ? startOfDay(end, zone, 1 - DEFAULT_DAYS) : Number(from);
  const days: Day[] = [];
  for (let day = 0; day < MAX_DAYS; day++) {
    const start = startOfDay(end, zone, -day);
    const next = startOfDay(end, zone, 1 - day);
    if (next <= begin) break;
    days.unshift({ from: Math.max(start, begin), to: Math.min(next, to === undefined ? next : end) });
  }
  return days;
}

/** Adds usage. */
export function sumUsage(rows: readonly UsageSums[]): UsageSums {
  const sum = (name: keyof UsageSums) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  return {
    answers: sum('answers'),
    input_tokens: sum('input_tokens'),
    cached_input_tokens: sum('cached_input_tokens'),
    output_tokens: sum('output_tokens'),
    cost: sum('cost'),
  };
}

/** Returns the beginning of a day; days have 23 to 25 hours. @param offset days from the one of `time` */
function startOfDay(time: number, zone: Zone, offset: number): number {
  const date = new Date(time);
  if (zone === 'utc') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + offset);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + offset).getTime();
}
