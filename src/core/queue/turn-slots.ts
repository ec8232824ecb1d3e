import { Bag, type Placed } from '../cache/bag.js';
import type { Lease } from '../store/index.js';

/** Turns that may wait for people without a slot. Each holds its prompt and its reply in memory. */
export const MAX_WAITING_TURNS = 1_000;

/** A run of a message. */
export interface SlottedRun {
  readonly claim: { readonly lease: Lease };
  /** Its seat while it is one of the runs of a {@link TurnSlots}, which alone changes it. */
  seat?: Seat<this> | undefined;
}

/** A run among the others. */
interface Seat<R> extends Placed {
  readonly run: R;
  /** Number of its calls that wait for a person. */
  waits: number;
}

/** A run that waits for a slot. */
interface Returning<R> {
  readonly run: R;
  readonly enter: () => void;
}

/**
 * Promises: at most as many turns work at the same time as there are slots. Turns of agents that were asked work in the
 * slot of the turn that asks. A slot in which everything waits for people is free for others. A turn whose wait is over
 * takes a slot again before it goes on, in the order in which the waits ended and before any new message. At most
 * {@link MAX_WAITING_TURNS} turns have no slot: further ones wait in theirs.
 *
 * Refuses to know: the store, and what the turns wait for.
 */
export class TurnSlots<R extends SlottedRun> {
  private readonly seats = new Bag<Seat<R>>();
  /** Runs without a slot. It counts only for runs that are inside no other. */
  private readonly outside = new Set<R>();
  /** By session whose turns run inside another one: the message that waits for them, and with how many calls. */
  private readonly inside = new Map<string, { readonly asker: string; calls: number }>();
  private readonly returning: Returning<R>[] = [];
  private reserved = 0;

  /** @param readSize returns the number of slots */
  constructor(
    private readonly readSize: () => number,
    private readonly maxWaiting = MAX_WAITING_TURNS,
  ) {}

  /** Number of free slots; negative after the number of slots was lowered. */
  get free(): number {
    return this.readSize() - this.reserved - this.countTaken();
  }

  /** Keeps slots for messages that are being claimed; 0 when they are claimed. */
  reserve(slots: number): void {
    this.reserved = slots;
  }

  /** Adds a run with a slot. */
  add(run: R): void {
    run.seat = { run, waits: 0, place: -1 };
    this.seats.add(run.seat);
  }

  remove(run: R): void {
    if (run.seat) this.seats.delete(run.seat);
    run.seat = undefined;
    this.outside.delete(run);
  }

  isInside(sessionId: string): boolean {
    return this.inside.has(sessionId);
  }

  /** Lets turns of a session run in the slot of the message `asker`, until the returned function is called. */
  enterInside(sessionId: string, asker: string): () => void {
    const entry = this.inside.get(sessionId) ?? { asker, calls: 0 };
    this.inside.set(sessionId, entry);
    entry.calls++;
    const release = () => {
      const run = this.findRun(({ messageRef }) => messageRef === asker);
      if (run) this.release(run);
    };
    release();
    return () => {
      entry.calls--;
      if (entry.calls === 0) this.inside.delete(sessionId);
      release();
    };
  }

  /**
   * Notes that a call of the run waits for a person. {@link returnFrom} ends it. Returns false if the run keeps its slot
   * because too many others wait.
   */
  leave(run: R): boolean {
    if (run.seat) run.seat.waits++;
    return this.release(run);
  }

  /** Ends a wait: resolves when the run works in a slot again, or `signal` aborts. */
  async returnFrom(run: R, wait: 'a person' | 'a turn inside', signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const enter = () => {
        signal.removeEventListener('abort', giveUp);
        if (wait === 'a person' && run.seat) run.seat.waits--;
        resolve();
      };
      const entry = { run, enter };
      const giveUp = () => {
        this.returning.splice(this.returning.indexOf(entry), 1);
        enter();
      };
      this.returning.push(entry);
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp);
      this.settle();
    });
  }

  /** Returns the runs whose slot is free because everything in it waits for people. */
  listWaiting(): R[] {
    return this.list().filter((run) => !this.isAtWork(this.rootOf(run)));
  }

  /** Returns the runs that take a slot. */
  listTaking(): R[] {
    return this.list().filter((run) => this.rootOf(run) === run && !this.outside.has(run));
  }

  /** Gives free slots to the runs that wait for one. */
  settle(): void {
    if (this.returning.length === 0) return;
    for (const entry of this.returning.slice()) {
      const root = this.rootOf(entry.run);
      if (this.outside.has(root) && this.free <= 0) continue;
      this.outside.delete(root);
      this.returning.splice(this.returning.indexOf(entry), 1);
      entry.enter();
    }
  }

  private countTaken(): number {
    return this.inside.size === 0 ? this.seats.size - this.outside.size : this.listTaking().length;
  }

  /** Frees the slot that the run works in, if everything in it waits for people. Returns false if too many others wait. */
  private release(run: R): boolean {
    const root = this.rootOf(run);
    if (this.isAtWork(root) || this.outside.has(root)) return true;
    if (this.outside.size >= this.maxWaiting) return false;
    this.outside.add(root);
    return true;
  }

  /** A run that waits for turns inside it works when one of them does, or is about to be claimed or has just ended. */
  private isAtWork(run: R): boolean {
    const sessions = [...this.inside].flatMap(([id, { asker }]) => (asker === run.claim.lease.messageRef ? [id] : []));
    if (sessions.length === 0) return this.countWaits(run) === 0;
    return sessions.some((id) => {
      const asked = this.findRun(({ sessionId }) => sessionId === id);
      return !asked || this.isAtWork(asked);
    });
  }

  /** Returns the run in whose slot a run works: itself, or the first one that asked. */
  private rootOf(run: R): R {
    const entry = this.inside.get(run.claim.lease.sessionId);
    const asker = entry && this.findRun(({ messageRef }) => messageRef === entry.asker);
    return asker ? this.rootOf(asker) : run;
  }

  private list(): R[] {
    return this.seats.list().map(({ run }) => run);
  }

  private countWaits(run: R): number {
    return run.seat?.waits ?? 0;
  }

  private findRun(matches: (lease: Lease) => boolean): R | undefined {
    return this.seats.find(({ run }) => matches(run.claim.lease))?.run;
  }
}
