import { texts } from './texts.js';

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

/** The hour and minute, in the reader's zone and custom. `time` in Unix milliseconds, here and below. */
export function formatTime(time: number): string {
  return timeOfDay.format(time);
}

/** All there is to know of a time, for a tooltip. */
export function formatFully(time: number): string {
  return full.format(time);
}

/** A day as people call it; `now` decides what today is. */
export function formatDay(time: number, now: number): string {
  if (isSameDay(time, now)) return texts.thread.today;
  const yesterday = new Date(now);
  yesterday.setDate(yesterday.getDate() - 1);
  if (isSameDay(time, yesterday.getTime())) return texts.thread.yesterday;
  return (new Date(time).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(time);
}

/** Whether two times fall on one day where the reader is. */
export function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
