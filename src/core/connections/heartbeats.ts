import type { CancelTimer, Clock } from '../time/clock.js';
import type { Connection } from './connection.js';

/** Number of groups of connections; one group beats at a time, so that the beats are spread over the interval. */
const GROUPS = 16;

/**
 * Runs the heartbeats of all connections by one timer. The first beat of a connection comes at the end of the first
 * interval, or up to a sixteenth of it earlier.
 */
export class Heartbeats {
  private readonly groups = Array.from({ length: GROUPS }, () => new Set<Connection>());
  /** The group whose turn was last: its next turn is a whole interval away. */
  private latest = 0;
  private size = 0;
  private stop: CancelTimer | undefined;

  /** @param intervalMs returns the time between two beats of a connection */
  constructor(
    private readonly clock: Clock,
    private readonly intervalMs: () => number,
    private readonly beat: (connection: Connection) => void,
  ) {}

  add(connection: Connection): void {
    this.group(this.latest).add(connection);
    this.size++;
    this.stop ??= this.clock.setRepeating(this.intervalMs() / GROUPS, () => this.tick());
  }

  /** Removes a connection. Does nothing if it is not there. */
  remove(connection: Connection): void {
    if (!this.groups.some((group) => group.delete(connection))) return;
    if (--this.size > 0) return;
    this.stop?.();
    this.stop = undefined;
  }

  private tick(): void {
    this.latest = (this.latest + 1) % GROUPS;
    for (const connection of this.group(this.latest)) this.beat(connection);
  }

  private group(n: number): Set<Connection> {
    return this.groups[n] as Set<Connection>;
  }
}
