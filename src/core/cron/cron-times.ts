import type { LocalPattern } from './local-pattern.js';
import type { DueTimes } from './schedule.js';
import type { Zone, ZonePiece } from './zone.js';

/** A search for a next time ends after this many years: 29 February on a given weekday comes every 40 years at most. */
const MAX_YEARS = 120;
const YEAR_MS = 366 * 86_400_000;

/**
 * The due times of a cron expression in a zone.
 *
 * A fixed-time job (no wildcard or step in its seconds, minutes and hours) names points of the clock: a local time that is
 * left out when clocks go forward is due at the first moment after the gap, several of one gap once, and a local time
 * that comes twice is due the first time. Every other job names a rhythm and goes on in real time: it is due in both passes
 * of a repeated hour, and not at times that are left out.
 */
export class CronTimes implements DueTimes {
  constructor(
    private readonly pattern: LocalPattern,
    private readonly zone: Zone,
    private readonly isFixed: boolean,
  ) {}

  next(after: number): number | undefined {
    const start = Math.floor(after / 1_000) * 1_000 + 1_000;
    let local: number | undefined;
    for (let from = start; from < start + MAX_YEARS * YEAR_MS;) {
      const piece = this.zone.pieceAt(from);
      if (from === piece.from && this.isDueAfterGap(piece)) return from;
      const first = this.firstLocal(piece, from);
      if (local === undefined || local < first || piece.offset < piece.offsetBefore) local = this.pattern.next(first);
      if (local === undefined) return undefined;
      if (local - piece.offset < piece.to) return local - piece.offset;
      from = piece.to;
    }
    return undefined;
  }

  count(after: number, upTo: number): number {
    let count = 0;
    for (let from = Math.floor(after / 1_000) * 1_000 + 1_000; from <= upTo;) {
      const piece = this.zone.pieceAt(from);
      const to = Math.min(piece.to, upTo + 1);
      count += this.pattern.count(this.firstLocal(piece, from), to + piece.offset);
      const isCounted = this.pattern.next(from + piece.offset) === from + piece.offset;
      if (from === piece.from && !isCounted && this.isDueAfterGap(piece)) count++;
      from = piece.to;
    }
    return count;
  }

  /** The local time, with `b` at its end when it comes for the second time. */
  nameOf(due: number): string {
    const piece = this.zone.pieceAt(due);
    const local = due + piece.offset;
    const isSecond = local < piece.from + piece.offsetBefore;
    return `${new Date(local).toISOString().slice(0, 19)}${isSecond ? 'b' : ''}`;
  }

  /** Returns the first local time of a piece that counts, from the instant `from` on. */
  private firstLocal({ from: start, offset, offsetBefore }: ZonePiece, from: number): number {
    return this.isFixed ? Math.max(from + offset, start + offsetBefore) : from + offset;
  }

  /** Returns whether a local time is due that was left out just before a piece. */
  private isDueAfterGap({ from, offset, offsetBefore }: ZonePiece): boolean {
    if (!this.isFixed || offsetBefore >= offset) return false;
    const missed = this.pattern.next(from + offsetBefore);
    return missed !== undefined && missed < from + offset;
  }
}
