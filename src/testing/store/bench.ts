import type {
  AcceptedMessage,
  Claim,
  DurableFrame,
  NewMessage,
  StorePorts,
  WriteOutcome,
} from '../../core/store/index.js';
import { aMessage, anEnd, GENEROUS_LIMITS } from '../factories.js';
import { ManualClock } from '../manual-clock.js';

export type { StorePorts };

/** Copies of the data of a store that is not open, as an operator makes them. */
export interface StoreCopies {
  keep(): Promise<void>;
  putBack(): Promise<void>;
}

/** A store under test, with the means to disturb it from outside. */
export interface StoreUnderTest {
  /** The open store, empty at first. {@link crash} replaces it by another object. */
  readonly store: StorePorts;
  readonly replicaId: string;
  /** The store's clock, in Unix milliseconds. */
  now(): number;
  /** Advances the store's clock. */
  passTime(ms: number): Promise<void>;
  /**
   * Ends the process that uses the store abruptly, and opens the store in another. In between, copies the data or puts
   * the newest copy back, if the store {@link hasCopies}.
   */
  crash(copy?: keyof StoreCopies): Promise<void>;
  readonly hasCopies: boolean;
  /** Makes the next commit fail, as a full disk would. Absent where that is impossible. */
  readonly failNextCommit?: (() => void) | undefined;
  /** Closes the store and deletes its data. */
  dispose(): Promise<void>;
}

/** Tests by name. */
export type Contract = Readonly<Record<string, (bench: StoreBench) => Promise<void>>>;

/** A store under test with the operations that most tests share. */
export class StoreBench {
  constructor(readonly under: StoreUnderTest) {}

  get store(): StorePorts {
    return this.under.store;
  }

  /** Accepts a message and asserts that it is new. */
  async accept(changes: Partial<NewMessage> = {}): Promise<AcceptedMessage> {
    const outcome = await this.store.accept(aMessage(changes), GENEROUS_LIMITS);
    if (outcome.kind !== 'accepted') throw new Error(`a new message was answered with ${outcome.kind}`);
    return outcome;
  }

  /** Claims at most `limit` messages. */
  async claim(limit = 100): Promise<readonly Claim[]> {
    const { replicaId } = this.under;
    return (await this.store.claim({ replicaId, limit, leaseMs: 10_000 })).claims;
  }

  /** Claims one message and asserts that there is one. */
  async claimOne(): Promise<Claim> {
    const [claim] = await this.claim(1);
    if (!claim) throw new Error('there is nothing to claim');
    return claim;
  }

  /** Accepts a message and claims it. */
  async run(changes: Partial<NewMessage> = {}): Promise<Claim> {
    await this.accept(changes);
    return this.claimOne();
  }

  /** Ends the turn with one `stream_end`. */
  finish(claim: Claim): Promise<WriteOutcome> {
    return this.store.finish(claim.lease, anEnd(claim));
  }

  /** Runs all runnable messages one after the other. Resolves with their ids in the order in which they ran. */
  async drain(): Promise<string[]> {
    const order: string[] = [];
    for (let [claim] = await this.claim(1); claim; [claim] = await this.claim(1)) {
      order.push(claim.message.messageId);
      await this.finish(claim);
    }
    return order;
  }

  /** The whole log of a session. */
  async log(sessionId = 's_alice'): Promise<readonly DurableFrame[]> {
    return (await this.store.readFrames(sessionId, 0, 10_000, Number.MAX_SAFE_INTEGER)).frames;
  }
}

/** Opens the same store on the same clock. {@link ReopenedStore} calls it again after each crash. */
export type OpenStore = (clock: ManualClock) => Promise<StorePorts>;

/**
 * A store under test within one process: a crash closes the store and opens it again, which shows what was committed.
 * Tests that kill a real process prove that nothing depends on the closing.
 */
export class ReopenedStore implements StoreUnderTest {
  readonly replicaId = 'replica-1';
  private readonly clock = new ManualClock();
  private opened: StorePorts | undefined;

  private constructor(
    private readonly open: OpenStore,
    private readonly clean: () => Promise<void>,
    readonly failNextCommit: (() => void) | undefined,
    private readonly copies: StoreCopies | undefined,
  ) {}

  /** Opens the store for the first time. `clean` deletes its data. */
  static async start(
    open: OpenStore,
    clean: () => Promise<void>,
    failNextCommit?: () => void,
    copies?: StoreCopies,
  ): Promise<ReopenedStore> {
    const under = new ReopenedStore(open, clean, failNextCommit, copies);
    under.opened = await open(under.clock);
    return under;
  }

  get store(): StorePorts {
    if (!this.opened) throw new Error('the store is not open');
    return this.opened;
  }

  now(): number {
    return this.clock.now();
  }

  async passTime(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
  }

  get hasCopies(): boolean {
    return this.copies !== undefined;
  }

  async crash(copy?: keyof StoreCopies): Promise<void> {
    await this.store.close();
    if (copy) await this.copies?.[copy]();
    this.opened = await this.open(this.clock);
  }

  async dispose(): Promise<void> {
    await this.opened?.close();
    await this.clean();
  }
}
