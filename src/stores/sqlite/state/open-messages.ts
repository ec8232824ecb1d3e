import { LaneIndex, type LaneMessage } from './lane-index.js';
import type { ClientKey, Priority } from '../../../core/store/index.js';

/** Number of waiting messages that the other thread keeps until they are claimed, so that a claim need not repeat them. */
export const MAX_SLOTS = 1_024;

/** The longest payload of a message that is kept, in UTF-16 units. */
export const MAX_KEPT_LENGTH = 4_096;

/** An unfinished message in the index. */
export interface OpenMessage extends LaneMessage {
  readonly ord: number;
  readonly session: number;
  readonly client: number;
  /** The principal of the client, see {@link ownerOf}. */
  readonly owner: string;
  readonly priority: Priority;
  /** The epoch of the lease under which it runs; 0 while it waits. */
  epoch: number;
  cancelRequested: boolean;
  /** Number of times that it was claimed. */
  attempt: number;
  /** Number of its runs that the death of their owner has ended. */
  interruptions: number;
  /** Its row in the table, which is not written yet, with the head of the log at its first claim; null before it. */
  newRow?: { readonly headBefore: number | null } | undefined;
  /** The slot in which the other thread keeps it; undefined for most messages of a long queue. */
  slot?: number | undefined;
}

/**
 * All unfinished messages: their order, and their number per principal. Rebuilt from the table `queue` and never stored.
 */
export class OpenMessages {
  readonly lanes = new LaneIndex<OpenMessage>(({ owner }) => tenantOf(owner));
  private readonly sessionsOfClient = new Map<number, Map<number, number>>();
  private readonly totals = new Map<string, number>();
  private readonly freeSlots = Array.from({ length: MAX_SLOTS }, (_, slot) => slot);

  /** @param onIdle is called with a session whose last message has ended */
  constructor(private readonly onIdle: (session: number) => void) {}

  /** Returns how many messages of a principal wait or run, whatever client ids it uses. */
  countOfOwner(owner: string): number {
    return this.totals.get(owner) ?? 0;
  }

  /** Returns how many messages of a tenant wait or run. Linear in the number of principals that have any. */
  countOfTenant(tenant: string): number {
    return this.totals.entries().reduce((sum, [owner, count]) => sum + (tenantOf(owner) === tenant ? count : 0), 0);
  }

  hasUnfinished(client: number, session: number): boolean {
    return this.sessionsOfClient.get(client)?.has(session) ?? false;
  }

  /** Adds a message at the end of its line. Returns its position. */
  add(message: OpenMessage): number {
    this.tally(message, 1);
    return this.lanes.enqueue(message);
  }

  /** Lets the other thread keep a message, if it is short and there is a free slot. */
  keep(message: OpenMessage, length: number): void {
    if (length <= MAX_KEPT_LENGTH) message.slot = this.freeSlots.pop();
  }

  /** Returns the slot of a message, which is free from now on: what is sent next about it takes the message from there. */
  takeSlot(message: OpenMessage): number | undefined {
    const { slot } = message;
    if (slot !== undefined) this.freeSlots.push(slot);
    message.slot = undefined;
    return slot;
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
    this.takeSlot(message);
    this.lanes.remove(message.ord);
    if (this.lanes.countIn(message.session) === 0) this.onIdle(message.session);
  }

  private tally(message: OpenMessage, by: 1 | -1): void {
    add(this.totals, message.owner, by);
    let sessions = this.sessionsOfClient.get(message.client);
    if (!sessions) this.sessionsOfClient.set(message.client, (sessions = new Map<number, number>()));
    add(sessions, message.session, by);
    if (sessions.size === 0) this.sessionsOfClient.delete(message.client);
  }
}

/** Returns the principal of a client as one name. No name contains NUL. */
export function ownerOf({ tenant, principal }: Pick<ClientKey, 'tenant' | 'principal'>): string {
  return `${tenant}\0${principal}`;
}

/** Returns the tenant of an owner, see {@link ownerOf}. */
export function tenantOf(owner: string): string {
  return owner.slice(0, owner.indexOf('\0'));
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
