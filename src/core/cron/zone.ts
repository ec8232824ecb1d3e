import { BoundedMap } from '../cache/bounded-map.js';
import { DAY_MS } from '../time/clock.js';

/** A stretch of time in which a zone has one offset. It may end where the offset does not change. */
export interface ZonePiece {
  /** First instant, in Unix milliseconds. */
  readonly from: number;
  /** First instant after it, in Unix milliseconds. */
  readonly to: number;
  /** Local time minus UTC, in milliseconds. */
  readonly offset: number;
  /** The offset just before {@link from}. Greater: local times repeat. Smaller: local times were left out. */
  readonly offsetBefore: number;
}

/** Years whose pieces are kept. */
const MAX_KEPT_YEARS = 512;
const MAX_KEPT_ZONES = 64;

const zones = new BoundedMap<string, Zone>(MAX_KEPT_ZONES);

/** A time zone as the zone data of this process knows it. */
export class Zone {
  private readonly format: Intl.DateTimeFormat;
  /** By year of UTC. */
  private readonly years = new BoundedMap<number, readonly ZonePiece[]>(MAX_KEPT_YEARS);

  private constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Returns a zone by its name. @throws RangeError if the zone data does not know it */
  static get(name: string): Zone {
    let zone = zones.get(name);
    if (!zone) zones.set(name, (zone = new Zone(name)));
    return zone;
  }

  /** Returns the offset at an instant, in milliseconds. */
  offsetAt(instant: number): number {
    const second = Math.floor(instant / 1_000) * 1_000;
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, seconds = 0] = (
      this.format.format(second).match(/\d+/g) ?? []
    ).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
  }

  /** Returns the piece that contains an instant. */
  pieceAt(instant: number): ZonePiece {
    const pieces = this.piecesOf(new Date(instant).getUTCFullYear());
    const piece = pieces.find(({ to }) => instant < to);
    if (!piece) throw new RangeError(`no time ${instant} in the zone ${this.name}`);
    return piece;
  }

  private piecesOf(year: number): readonly ZonePiece[] {
    let pieces = this.years.get(year);
    if (!pieces) this.years.set(year, (pieces = this.findPieces(Date.UTC(year), Date.UTC(year + 1))));
    return pieces;
  }

  /** Offsets change at most once in a day. */
  private findPieces(start: number, end: number): readonly ZonePiece[] {
    const pieces: ZonePiece[] = [];
    let from = start;
    let offset = this.offsetAt(start);
    let offsetBefore = this.offsetAt(start - 1_000);
    for (let day = start; day < end; day += DAY_MS) {
      const last = Math.min(day + DAY_MS, end) - 1_000;
      const next = this.offsetAt(last);
      if (next === offset) continue;
      const change = this.findChange(day - 1_000, last, offset);
      pieces.push({ from, to: change, offset, offsetBefore });
      [from, offsetBefore, offset] = [change, offset, next];
    }
    return [...pieces, { from, to: end, offset, offsetBefore }];
  }

  /** Returns the first second of `(before, after]` whose offset is not `offset`. */
  private findChange(before: number, after: number, offset: number): number {
    let [low, high] = [before, after];
    while (high - low > 1_000) {
      const middle = low + Math.floor((high - low) / 2_000) * 1_000;
      if (this.offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
}
