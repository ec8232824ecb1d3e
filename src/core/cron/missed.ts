import { HOUR_MS } from '../time/clock.js';
import type { JobDefinition } from './job.js';
import { graceOf } from './job.js';
import type { DueTimes } from './schedule.js';

/** A due time up to this late is on time: timers and the queue need a while, in milliseconds. */
export const ON_TIME_MS = 60_000;
/** A base that is further ahead of the clock was made while the clock was wrong: it is set aside. In milliseconds. */
export const MAX_AHEAD_MS = 48 * HOUR_MS;
/** Due times that `misfire: all` makes up for. */
const MAX_MADE_UP = 24;
/** Skipped due times with a row each; older ones share one. */
const MAX_ROWS = 20;
/** Due times are counted in stretches of this length, so that other work passes. */
const STRETCH_MS = 60 * 86_400_000;

/** The plan for the due times of a job. */
export interface Plan {
  /** Due times that start the job, oldest first. */
  readonly fire: readonly number[];
  /** Due times that are skipped, oldest first. */
  readonly skip: readonly number[];
  /** The older ones, in one number. */
  readonly earlier?: { readonly count: number; readonly first: number; readonly last: number } | undefined;
  /** The last due time that was decided on; undefined if none is due. */
  readonly upTo: number | undefined;
}

/** The question of {@link planFirings}. */
export interface PlanRequest {
  readonly times: DueTimes;
  readonly definition: JobDefinition;
  /** Due times after this one are undecided. */
  readonly base: number;
  readonly now: number;
  /** Returns the delay of a due time. */
  readonly jitterOf: (due: number) => number;
  /** Lets other work pass if this took long. */
  readonly pause: () => Promise<void> | undefined;
}

const NOTHING: Plan = { fire: [], skip: [], upTo: undefined };

/** Decides which due times of `(base, now]` start the job. Takes the same time however many there are. */
export async function planFirings(request: PlanRequest): Promise<Plan> {
  const { times, definition, base, now, jitterOf } = request;
  const end = Math.min(now, definition.expiresAt ?? Infinity);
  const newest = listNewest(times, base, end, MAX_MADE_UP + MAX_ROWS);
  // One that still waits for its jitter keeps those after it waiting, so that they start in order.
  const waiting = newest.findIndex((due) => due + jitterOf(due) > now);
  const ready = waiting < 0 ? newest : newest.slice(0, waiting);
  const last = ready.at(-1);
  if (last === undefined) return NOTHING;
  const fire = choose(ready, definition, now, jitterOf);
  const skipped = ready.filter((due) => !fire.includes(due));
  const skip = skipped.slice(-MAX_ROWS);
  const firstKept = Math.min(skip[0] ?? Infinity, fire[0] ?? Infinity);
  return { fire, skip, earlier: await sumUp(request, firstKept), upTo: last };
}

/** Returns the due times that start the job, of those that are ready. */
function choose(
  ready: readonly number[],
  definition: JobDefinition,
  now: number,
  jitterOf: (due: number) => number,
): readonly number[] {
  if (definition.misfire === 'all') return ready.slice(-MAX_MADE_UP);
  const newest = ready.at(-1) ?? 0;
  const limitMs = definition.misfire === 'skip' ? ON_TIME_MS : Math.max(ON_TIME_MS, graceOf(definition));
  return now - newest - jitterOf(newest) <= limitMs ? [newest] : [];
}

/** Counts the due times before those that have a row. */
async function sumUp({ times, base, pause }: PlanRequest, before: number): Promise<Plan['earlier']> {
  const first = times.next(base);
  if (first === undefined || first >= before) return undefined;
  let count = 0;
  for (let from = base; from < before - 1; from += STRETCH_MS) {
    count += times.count(from, Math.min(from + STRETCH_MS, before - 1));
    await pause();
  }
  const [last = first] = listNewest(times, base, before - 1, 1);
  return { count, first, last };
}

/** Returns the newest due times of `(after, upTo]`, at most `max`, oldest first. */
function listNewest(times: DueTimes, after: number, upTo: number, max: number): readonly number[] {
  let [from, tooLate] = [upTo, upTo];
  for (let length = 60_000; from > after && times.count(from, upTo) < max; length *= 2) {
    tooLate = from;
    from = Math.max(after, upTo - length);
  }
  // A stretch in which far more are due, such as each second of one day in a year, is cut in halves.
  while (times.count(from, upTo) > 2 * max) {
    const middle = Math.floor((from + tooLate) / 2);
    if (times.count(middle, upTo) < max) tooLate = middle;
    else from = middle;
  }
  const found: number[] = [];
  for (let due = times.next(from); due !== undefined && due <= upTo; due = times.next(due)) found.push(due);
  return found.slice(-max);
}
