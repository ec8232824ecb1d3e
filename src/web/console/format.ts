/** Formats values for the console. Times are in Unix milliseconds, durations in milliseconds. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The text of an empty value. */
export const NOTHING = '—';

const counts = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** Writes a count in groups: "1,204". */
export function formatCount(count: number | undefined): string {
  return count === undefined ? NOTHING : counts.format(count);
}

/** Writes a number of tokens: "310", "18.2k", "1.2M". */
export function formatTokens(count: number | undefined): string {
  if (count === undefined) return NOTHING;
  if (count < 1_000) return String(count);
  return count < 999_950 ? `${short.format(count / 1_000)}k` : `${short.format(count / 1_000_000)}M`;
}

/** Writes a duration in its two largest units: "42 ms", "0.2 s", "9.4 s", "40 s", "6 min 12 s", "3 h 5 min", "2 d 4 h". */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return NOTHING;
  if (ms < SECOND / 10) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return join(ms, MINUTE, 'min', SECOND, 's');
  return ms < DAY ? join(ms, HOUR, 'h', MINUTE, 'min') : join(ms, DAY, 'd', HOUR, 'h');
}

function join(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** Writes an age in its largest unit: "4 s", "12 min", "3 h", "2 d". */
export function formatAge(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`;
}

/** Writes how long ago a time is, or in how long it comes: "12 min ago", "in 3 min". */
export function formatRelative(time: number, now: number): string {
  return time <= now ? `${formatAge(now - time)} ago` : `in ${formatAge(time - now)}`;
}

/** The zone in which times are written: that of the reader, or UTC. */
export type Zone = 'local' | 'utc';

/** Writes a time exactly, with its zone: "27 Nov 2026, 14:02:11 CET". */
export function formatExact(time: number, zone: Zone): string {
  return formatterOf(zone, 'exact').format(time);
}

/** Writes the time of the day: "14:02:11". */
export function formatClock(time: number, zone: Zone): string {
  return formatterOf(zone, 'clock').format(time);
}

/** The name of a zone: "Europe/Zurich", "UTC". */
export function nameZone(zone: Zone): string {
  return zone === 'utc' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const FORMATS = {
  exact: {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: Zone, format: keyof typeof FORMATS): Intl.DateTimeFormat {
  const key = `${zone} ${format}`;
  const known = formatters.get(key);
  if (known) return known;
  const options = { ...FORMATS[format], hourCycle: 'h23', ...(zone === 'utc' && { timeZone: 'UTC' }) } as const;
  const made = new Intl.DateTimeFormat('en-GB', options);
  formatters.set(key, made);
  return made;
}

/** Characters of an id that are shown whole. */
const MAX_ID = 12;

/** Shortens an id in its middle: "s_7f3a…c91". */
export function shortenId(id: string): string {
  return id.length <= MAX_ID ? id : `${id.slice(0, 6)}…${id.slice(-3)}`;
}
