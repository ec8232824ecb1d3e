import type { ToolResultPayload } from '../../protocol/nodes.js';
import type { NodeStorage } from './storage.js';

/** Time for which calls and their results are kept at least, in milliseconds. */
const KEEP_MS = 24 * 3_600_000;

const PREFIX = 'call:';

/** A call as it is kept. */
export interface CallEntry {
  readonly callId: string;
  readonly isIdempotent: boolean;
  /** When it was recorded, in Unix milliseconds. */
  readonly at: number;
  /** Absent until it has ended. */
  readonly result?: ToolResultPayload;
  readonly isAcknowledged: boolean;
}

/** The calls of a node: each is recorded before it starts, and its result is kept, also after the acknowledgement. */
export class CallBook {
  readonly #entries = new Map<string, CallEntry>();

  constructor(
    private readonly storage: NodeStorage,
    private readonly now: () => number,
  ) {}

  /**
   * Reads what an earlier process has left. Its calls that have not ended are lost: an idempotent one is forgotten and runs
   * when it is sent again, the outcome of any other is unknown.
   */
  async load(): Promise<void> {
    const stored = (await this.storage.list(PREFIX)) as readonly CallEntry[];
    for (const entry of [...stored].sort((a, b) => a.at - b.at)) {
      const { callId, result, isIdempotent } = entry;
      if (result) this.#entries.set(callId, entry);
      else if (isIdempotent) await this.storage.remove(PREFIX + callId);
      else await this.end(callId, unknownOutcome(callId), entry);
    }
  }

  find(callId: string): CallEntry | undefined {
    return this.#entries.get(callId);
  }

  /** The results that the gateway has not acknowledged. */
  listUnacknowledged(): readonly ToolResultPayload[] {
    return [...this.#entries.values()].flatMap(({ result, isAcknowledged }) =>
      result && !isAcknowledged ? [result] : [],
    );
  }

  /** Records a call. It may start once this resolves. A second record of the same call throws. */
  async begin(callId: string, isIdempotent: boolean): Promise<void> {
    if (this.#entries.has(callId)) throw new Error(`the call ${callId} is recorded already`);
    const entry = { callId, isIdempotent, at: this.now(), isAcknowledged: false };
    this.#entries.set(callId, entry);
    try {
      await this.storage.write(PREFIX + callId, entry);
    } catch (error) {
      this.#entries.delete(callId);
      throw error;
    }
    await this.#sweep();
  }

  /** Keeps the result of a call. It may be sent once this resolves. */
  async end(callId: string, result: ToolResultPayload, known = this.#entries.get(callId)): Promise<void> {
    if (!known) return;
    const entry = { ...known, result, isAcknowledged: false };
    this.#entries.set(callId, entry);
    await this.storage.write(PREFIX + callId, entry);
  }

  async acknowledge(callId: string): Promise<void> {
    const known = this.#entries.get(callId);
    if (!known || known.isAcknowledged) return;
    const entry = { ...known, isAcknowledged: true };
    this.#entries.set(callId, entry);
    await this.storage.write(PREFIX + callId, entry);
  }

  /** Forgets what is old. */
  async #sweep(): Promise<void> {
    const before = this.now() - KEEP_MS;
    for (const { callId, at, result } of this.#entries.values()) {
      // The entries are in the order of their time.
      if (at >= before) return;
      if (!result) continue;
      this.#entries.delete(callId);
      await this.storage.remove(PREFIX + callId);
    }
  }
}

function unknownOutcome(callId: string): ToolResultPayload {
  const message = 'the program on the device ended while it ran the command';
  return { call_id: callId, ok: false, error: { code: 'UNKNOWN', message } };
}
