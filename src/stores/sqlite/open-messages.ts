import { LaneIndex, type LaneMessage } from './lane-index.js';
import type { Priority } from '../../core/store/index.js';

/** An unfinished message in the index. */
export interface OpenMessage extends LaneMessage {
  readonly ord: number;
  readonly session: number;
  readonly client: number;
  readonly priority: Priority;
  /** The epoch of the lease under which it runs; 0 while it waits. */
  epoch: number;
  cancelRequested: boolean;
}

/**
 * All unfinished messages: their order, and their number per client. Rebuilt from the table `queue` and never stored.
 */
export class OpenMessages {
  readonly lanes = new LaneIndex<OpenMessage>();
  private readonly sessionsOfClient = new Map<number, Map<number, number>>();
  private readonly totals = new Map<number, number>();

  /** Returns how many messages of a client wait or run. */
  countOfClient(client: number): number {
    return this.totals.get(client) ?? 0;
  }

  hasUnfinished(client: number, session: number): boolean {
    return this.sessionsOfClient.get(client)?.has(session) ?? false;
  }

  /** Adds a message at the end of its line. Returns its position. */
  add(message: OpenMessage): number {
    this.tally(message, 1);
    return this.lanes.enqueue(message);
  }

  addFirst(message: OpenMessage, notBefore: number): void {
    this.tally(message, 1);
    this.lanes.enqueueFirst(message, notBefore);
  }

  addRunning(message: OpenMessage): void {
    this.tally(message, 1);
    this.lanes.addRunning(message);
  }

  end(message: OpenMessage): void {
    this.tally(message, -1);
    this.lanes.remove(message.ord);
  }

  private tally(message: OpenMessage, by: 1 | -1): void {
    add(this.totals, message.client, by);
    let sessions = this.sessionsOfClient.get(message.client);
    if (!sessions) this.sessionsOfClient.set(message.client, (sessions = new Map<number, number>()));
    add(sessions, message.session, by);
    if (sessions.size === 0) this.sessionsOfClient.delete(message.client);
  }
}

function add(counts: Map<number, number>, key: number, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
