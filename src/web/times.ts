import { texts } from './texts.js';

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const timeWithSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const month = new Intl.DateTimeFormat(undefined, { month: 'long' });
const monthOfYear = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** Formats hour and minute in the reader's time zone and locale. `time` is in Unix milliseconds, here and below. */
export function formatTime(time: number): string {
  return timeOfDay.format(time);
}

/** Formats hour, minute and second. */
export function formatExactly(time: number): string {
  return timeWithSeconds.format(time);
}

/** Formats a time in full, for a tooltip. */
export function formatFully(time: number): string {
  return full.format(time);
}

/** Formats a day, by name for today and yesterday; `now` determines which day is today. */
export function formatDay(time: number, now: number): string {
  if (isSameDay(time, now)) return texts.thread.today;
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (isSameDay(time, yesterday.getTime())) return texts.thread.yesterday;
  return (new Date(time).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(time);
}

/** Formats a month, with the year when it is another one than that of `now`. */
export function formatMonth(time: number, now: number): string {
  return (new Date(time).getFullYear() === new Date(now).getFullYear() ? month : monthOfYear).format(time);
}

/** Returns true when two times are on the same day in the reader's time zone. */
export function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
