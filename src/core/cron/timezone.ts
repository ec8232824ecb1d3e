import { DAY_MS } from '../time/clock.js';
import { Zone } from './zone.js';

/** Abbreviations that people write, with the zones that they mean. Each is also the name of a fixed or another zone. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  EST: 'America/New_York',
  EDT: 'America/New_York',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  MST: 'America/Denver',
  MDT: 'America/Denver',
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  GMT: 'Europe/London, or UTC',
  BST: 'Europe/London',
  CET: 'Europe/Paris',
  CEST: 'Europe/Paris',
  EET: 'Europe/Helsinki',
  WET: 'Europe/Lisbon',
  IST: 'Asia/Kolkata, Europe/Dublin or Asia/Jerusalem',
  JST: 'Asia/Tokyo',
  AEST: 'Australia/Sydney',
};

const REGION = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)+$/;

/** A fault of the name of a zone, in words that follow `timezone`. */
export class TimezoneError extends Error {
  override readonly name = 'TimezoneError';
}

/** Returns the proper name of a zone: of a region and a city, or UTC. @throws TimezoneError */
export function normaliseTimezone(text: string): string {
  const meant = ABBREVIATIONS[text.toUpperCase()];
  if (meant !== undefined) throw new TimezoneError(`must be the name of a region and a city, such as ${meant}`);
  if (text.toUpperCase() === 'UTC') return 'UTC';
  if (!REGION.test(text))
    throw new TimezoneError('must be the name of a region and a city, such as Europe/Paris, or UTC');
  try {
    // The zone data know names in any case. An older name of a zone stays as it was written.
    const { timeZone } = new Intl.DateTimeFormat('en-US', { timeZone: text }).resolvedOptions();
    return timeZone.toLowerCase() === text.toLowerCase() ? timeZone : capitalise(text);
  } catch {
    throw new TimezoneError(`is not known: ${text}`);
  }
}

/** Returns the zone of the machine; UTC where it has none with a name. */
export function hostTimezone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return REGION.test(timeZone) ? timeZone : 'UTC';
}

/** Returns the version of the zone data of this process, for example `2026c`. */
export function zoneDataVersion(): string {
  return process.versions['tz'] ?? 'unknown';
}

const LOCAL_TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?$/;
const OFFSET = /(?:[Zz]|([+-])(\d\d):?(\d\d))$/;

/**
 * Returns the instant of an ISO 8601 time, in Unix milliseconds; undefined if it is not one, or has no time of day. Without an
 * offset it is a local time of `timezone`: one that is left out means the first moment after the gap, one that comes twice
 * means the first time.
 */
export function parseTime(text: string, timezone: string): number | undefined {
  const offset = OFFSET.exec(text);
  const [, day, minute, rest = ''] = LOCAL_TIME.exec(offset ? text.slice(0, offset.index) : text) ?? [];
  if (day === undefined || minute === undefined) return undefined;
  const local = Date.parse(`${day}T${minute}${rest}Z`);
  // A day that does not exist, such as 30 February, is read as one of the next month.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${day}T${minute}`)) return undefined;
  if (!offset) return toInstant(local, Zone.get(timezone));
  const [, sign = '+', hours = '0', minutes = '0'] = offset;
  return local - Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** Returns the first instant at which the clocks of a zone show a local time, or have passed it. */
function toInstant(local: number, zone: Zone): number {
  let piece = zone.pieceAt(local - DAY_MS);
  while (local - piece.offset >= piece.to) piece = zone.pieceAt(piece.to);
  return Math.max(local - piece.offset, piece.from);
}

/** Formats an instant as ISO 8601 with the offset of a zone: `2026-11-27T09:00:00+01:00`. */
export function formatTime(instant: number, timezone: string): string {
  const offset = Zone.get(timezone).offsetAt(instant);
  const local = new Date(instant + offset).toISOString().slice(0, 19);
  const minutes = Math.abs(Math.round(offset / 60_000));
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

/** Writes the parts of a name with capitals, as the zone data do: `europe/kiev` is `Europe/Kiev`. */
function capitalise(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/(^|[/_-])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}
