import type { AccountLease, ChannelStore } from '../../store/index.js';
import type { Place } from '../driver.js';
import type { Persistence } from '../persistence.js';

/**
 * The chats of an account whose platform has given them new IDs. Outwards a chat has its newest ID; inwards, in sessions
 * and settings, its first one.
 */
export class MovedChats {
  private readonly newer = new Map<string, string>();
  private readonly older = new Map<string, string>();

  constructor(
    private readonly store: ChannelStore,
    private readonly lease: AccountLease,
    private readonly persistence: Persistence,
  ) {}

  async load(): Promise<void> {
    for (const { from, to } of await this.store.listMovedChats(this.lease.channel)) this.note(from, to);
  }

  /** See `ChannelLink.moveChat`. @throws LostLeaseError, the abort's reason */
  async move(from: string, to: string): Promise<void> {
    if (from === to || this.newer.has(from)) return;
    await this.persistence.write(() => this.store.moveChat(this.lease, { from, to }));
    this.note(from, to);
  }

  /** Returns the first ID of a chat. */
  firstOf(chat: string): string {
    return followSteps(chat, this.older);
  }

  /** Returns where a message goes now. */
  current(place: Place): Place {
    const chat = followSteps(place.chat, this.newer);
    return chat === place.chat ? place : { ...place, chat };
  }

  private note(from: string, to: string): void {
    this.newer.set(from, to);
    this.older.set(to, from);
  }
}

/** Follows the steps from one ID to the next, up to the last one. A circle ends where it began. */
export function followSteps(start: string, steps: ReadonlyMap<string, string>): string {
  const seen = new Set([start]);
  let found = start;
  for (let next = steps.get(found); next !== undefined && !seen.has(next); next = steps.get(found)) {
    seen.add(next);
    found = next;
  }
  return found;
}
