/**
 * A store against a plain model of it, under random interleavings of everything that can happen to it. It holds the
 * invariants of the durable state: acknowledged is stored (I1), one turn for a message (I2), one owner and growing epochs
 * (I3), stale writes change nothing (I4), the order (I5), dense and immutable logs (I6), one end for each message (I7),
 * cursors (I8), reading by pages (I10), limits (I11), and that the states sum up (I13).
 *
 * For vitest with fast-check; the environment variable `PROPERTY_RUNS` sets how many runs, and `LONG` raises the default.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type {
  CancelSelector,
  ClientKey,
  Lease,
  NewFrame,
  NewMessage,
  QueueLimits,
  TurnEnd,
} from '../core/store/index.js';
import { aClient, aMessage, aPayload, aReply, aSession } from './factories.js';
import type { StoreUnderTest } from './store/bench.js';
import { MODEL_PRIORITIES, StoreModel, type ModelMessage } from './store/model.js';

const DEFAULT_RUNS = process.env['LONG'] ? 400 : 20;
const SESSIONS = [0, 1, 2].map((number) => aSession(`${number}`));
/** The second and the third are of one principal. */
const CLIENTS = ['a', 'b', 'b'].map((principal, number) => aClient({ principal, clientId: `c${number}` }));
/** Small limits, so that a run reaches them often. */
const LIMITS: QueueLimits = { perSession: 4, perClient: 6, total: 9 };

const pick = fc.nat(50);
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      client: fc.nat(CLIENTS.length - 1),
      id: fc.nat(17),
      changed: fc.nat(9).map((chance) => chance === 0),
      moved: fc.nat(9).map((chance) => chance === 0),
      supersedes: fc.option(pick, { freq: 3, nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), lease: pick, frames: fc.nat(3), steps: fc.nat(2) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), lease: pick, failed: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      lease: pick,
      delay: fc.option(fc.nat(30), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      by: fc.constantFrom('ref', 'id', 'session'),
      target: pick,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      client: fc.nat(CLIENTS.length - 1),
      session: fc.nat(2),
      seq: fc.nat(9),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const together = fc.array(operation, { minLength: 1, maxLength: 5, size: 'max' });
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('together' as const), operations: together }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fail' as const), operations: together }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), copy: fc.constantFrom(undefined, 'keep', 'putBack') }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Registers the property as a vitest test. Concurrent calls must take effect in the order of the calls, claims last. */
export function describeStoreModel(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  const numRuns = Number(process.env['PROPERTY_RUNS'] ?? DEFAULT_RUNS);
  it(
    name,
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
          const run = new ModelRun(await makeStore());
          try {
            for (const each of steps) await run.perform(each);
            await run.settle();
          } finally {
            await run.under.dispose();
          }
        }),
        { numRuns },
      ),
    // Only a hang reaches it.
    60_000 + numRuns * 5_000,
  );
}

/** A pending call with the check of its result. */
interface Issued {
  readonly answer: Promise<unknown>;
  readonly check: (answer: never) => void;
}

class ModelRun {
  private model: StoreModel;
  private copy: StoreModel | undefined;
  /** The names of all starts, also of those on a log that was replaced by a copy. */
  private readonly logEpochs: string[] = [];
  /** Every lease that was ever granted on this log, stale ones included. */
  private leases: Lease[] = [];
  private frames = 0;
  private steps = 0;

  constructor(readonly under: StoreUnderTest) {
    this.model = new StoreModel(LIMITS, () => under.now());
    this.begin();
  }

  async perform(each: Step): Promise<void> {
    if (each.kind === 'pass') await this.under.passTime(each.ms);
    else if (each.kind === 'crash') await this.crash(each.copy);
    else if (each.kind === 'fail') await this.fail(each.operations);
    else await this.run(each.operations);
    await this.compare();
  }

  private async crash(copy?: 'keep' | 'putBack'): Promise<void> {
    const isCopied = this.under.hasCopies && (copy === 'keep' || this.copy !== undefined);
    await this.under.crash(isCopied ? copy : undefined);
    this.model.crash();
    if (isCopied && copy === 'keep') this.copy = this.model.copy();
    if (isCopied && copy === 'putBack') this.putBack();
    this.begin();
  }

  private putBack(): void {
    this.model = this.copy?.copy() ?? this.model;
    this.leases = this.leases.filter(({ messageRef }) => this.model.byRef(messageRef));
  }

  private begin(): void {
    const { logEpoch } = this.under.store;
    expect(this.logEpochs).not.toContain(logEpoch);
    this.logEpochs.push(logEpoch);
    this.model.begin(logEpoch);
  }

  private async run(operations: readonly Operation[]): Promise<void> {
    const issued = operations.map((each) => this.issue(each));
    const answers = await Promise.all(issued.map(({ answer }) => answer));
    for (const isClaim of [false, true])
      issued.forEach(({ check }, index) => {
        if ((operations[index]?.do === 'claim') === isClaim) check(answers[index] as never);
      });
  }

  /** A transaction whose commit fails changes nothing, and every caller gets the error. */
  private async fail(operations: readonly Operation[]): Promise<void> {
    if (!this.under.failNextCommit) return;
    this.under.failNextCommit();
    const answers = await Promise.allSettled(operations.map((each) => this.issue(each).answer));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
  }

  private issue(each: Operation): Issued {
    const { store, replicaId } = this.under;
    const { model } = this;
    const issued = <T>(answer: Promise<T>, check: (answer: T) => void): Issued => ({ answer, check });
    switch (each.do) {
      case 'accept': {
        const message = this.message(each);
        return issued(store.accept(message, LIMITS), (outcome) => model.accept(message, outcome));
      }
      case 'claim':
        return issued(store.claim({ replicaId, limit: each.limit, leaseMs: 60_000 }), (result) => {
          model.claim(each.limit, result);
          this.leases.push(...result.claims.map(({ lease }) => lease));
        });
      case 'cancel': {
        const [selector, targets] = this.select(each.by, each.target);
        return issued(store.cancel(selector, this.under.now()), (outcome) =>
          model.cancel(targets(), this.under.now(), outcome),
        );
      }
      case 'deliver': {
        const [client, session] = [CLIENTS[each.client] ?? aClient(), SESSIONS[each.session]?.id ?? ''];
        return issued(store.moveCursor(client, session, each.seq), () =>
          model.moveCursor(client.clientId, session, each.seq),
        );
      }
      default:
        return this.issueOfTurn(each);
    }
  }

  private issueOfTurn(each: Extract<Operation, { lease: number }>): Issued {
    const { store } = this.under;
    const { model } = this;
    const lease = this.leases[each.lease % this.leases.length];
    if (!lease) return { answer: store.check(), check: () => {} };
    const issued = <T>(answer: Promise<T>, check: (answer: T) => void): Issued => ({ answer, check });
    if (each.do === 'release') {
      const notBefore = each.delay === undefined ? undefined : this.under.now() + each.delay;
      return issued(store.release(lease, notBefore), () => model.release(lease, notBefore ?? 0));
    }
    if (each.do === 'finish') {
      const end = this.end(lease, each.failed ? 'failed' : 'done');
      return issued(store.finish(lease, end), (outcome) => {
        const message = model.write(lease, end.frames, [], outcome);
        if (message) message.status = end.status;
      });
    }
    const frames = Array.from({ length: each.frames }, () => this.frame(lease));
    const steps = Array.from({ length: each.steps }, () => this.steps++);
    const journal = steps.map((n) => ({ step: n, kind: 'answer' as const, body: `{"n":${n}}` }));
    return issued(store.append(lease, { frames, journal }), (outcome) => {
      model.write(lease, frames, steps, outcome);
    });
  }

  /** The same client and id always give the same message, unless another body or the session of another key is wanted. */
  private message({ client, id, changed, moved, supersedes }: Extract<Operation, { do: 'accept' }>): NewMessage {
    const messageId = `m${id}`;
    const { messages } = this.model;
    const superseded = supersedes === undefined ? undefined : messages[supersedes % (messages.length || 1)]?.ref;
    return aMessage({
      client: CLIENTS[client] ?? aClient(),
      messageId,
      session: SESSIONS[(moved ? id + 1 : id) % SESSIONS.length] ?? aSession(),
      payload: aPayload({
        content: changed ? 'changed' : messageId,
        ...(superseded !== undefined && { supersedes: superseded }),
      }),
      isAddressed: id % 8 !== 7,
      priority: MODEL_PRIORITIES[(id >> 2) % MODEL_PRIORITIES.length] ?? 1,
      receivedAt: this.under.now(),
    });
  }

  private frame({ messageRef }: Lease, type: NewFrame['type'] = 'stream_block'): NewFrame {
    const messageId = this.model.byRef(messageRef)?.message.messageId ?? '';
    return { type, messageRef, messageId, timestamp: this.under.now(), payload: `{"n":${this.frames++}}` };
  }

  private end(lease: Lease, status: TurnEnd['status']): TurnEnd {
    const reply = aReply({ blocks: [], reason: status === 'done' ? 'stop' : 'error', endedAt: this.under.now() });
    return { frames: [this.frame(lease, 'stream_end')], journal: [], status, reply };
  }

  /** The target of a cancel. Its messages are known only when all earlier calls have taken effect. */
  private select(by: string, target: number): [CancelSelector, () => ModelMessage[] | undefined] {
    const { messages } = this.model;
    const found = messages[target % (messages.length || 1)];
    if (by === 'session') {
      const sessionId = SESSIONS[target % SESSIONS.length]?.id ?? '';
      const targets = () => messages.filter(({ session }) => session === sessionId);
      return [{ by, tenant: 'default', sessionId }, () => (targets().length > 0 ? targets() : undefined)];
    }
    if (by === 'id' && found) {
      const { client, messageId } = found.message;
      return [{ by, client, messageId }, () => [found]];
    }
    return [{ by: 'ref', tenant: 'default', messageRef: found?.ref ?? 'nonsense' }, () => found && [found]];
  }

  /** Asserts that everything readable in the store equals the model. */
  private async compare(): Promise<void> {
    const { store } = this.under;
    const { model } = this;
    for (const { id } of SESSIONS) {
      expect(await this.readInPages(id)).toEqual(model.log(id));
      const { messages, headSeq } = await store.readHistory(id, 200);
      expect(headSeq).toBe(model.log(id).length);
      const ofSession = model.messages.filter(({ session }) => session === id);
      expect(messages.map(({ messageRef, status, supersededBy }) => ({ messageRef, status, supersededBy }))).toEqual(
        ofSession.map(({ ref, status, supersededBy }) => ({ messageRef: ref, status, supersededBy })),
      );
      await this.compareContext(id, ofSession);
    }
    const running = model.unfinished().filter(({ status }) => status === 'running').length;
    expect(await store.countQueue(0)).toMatchObject({ queued: model.unfinished().length - running, running });
    const { lost } = await store.renew(this.leases, 60_000);
    expect(lost).toEqual(this.leases.filter((lease) => !model.holds(lease)));
    for (const message of model.unfinished()) {
      const { steps, frames } = await store.readTurn(message.ref);
      expect(steps.map((recorded) => ({ step: recorded.step, headSeq: recorded.headSeq }))).toEqual(message.steps);
      expect(frames).toEqual(model.log(message.session).filter(({ messageRef }) => messageRef === message.ref));
    }
    for (const client of CLIENTS) await this.compareCursors(client);
    await this.compareEpochs();
  }

  /** The context of the newest message has all before it that no later one supersedes. */
  private async compareContext(sessionId: string, ofSession: readonly ModelMessage[]): Promise<void> {
    const newest = ofSession.at(-1);
    if (!newest) return;
    const context = await this.under.store.readContext(sessionId, newest.ref, 200);
    const standing = ofSession.filter((each) => each !== newest && each.supersededBy === undefined);
    expect(context.map(({ messageRef }) => messageRef)).toEqual(standing.map(({ ref }) => ref));
  }

  private async compareCursors(client: ClientKey): Promise<void> {
    const { clientId } = client;
    const listed = await this.under.store.listResumable(client);
    const expected = SESSIONS.flatMap(({ id }) => {
      const seq = this.model.cursors.get(`${clientId} ${id}`);
      if (seq === undefined) return [];
      const own = this.model
        .unfinished()
        .some(({ session, message }) => session === id && message.client.clientId === clientId);
      return own || this.model.log(id).length > seq ? [{ sessionId: id, seq }] : [];
    });
    expect([...listed].sort((one, other) => one.sessionId.localeCompare(other.sessionId))).toEqual(expected);
  }

  private async compareEpochs(): Promise<void> {
    for (const { id } of SESSIONS) {
      const seqs = [0, 1, 2, 4, this.model.log(id).length, this.model.log(id).length + 1];
      for (const name of this.logEpochs.slice(-4)) {
        const found = await Promise.all(seqs.map((seq) => this.under.store.hasFrame(id, seq, name)));
        expect(found).toEqual(seqs.map((seq) => this.model.hasFrame(id, seq, name)));
      }
    }
  }

  private async readInPages(sessionId: string) {
    const frames = [];
    for (;;) {
      const page = await this.under.store.readFrames(sessionId, frames.length, 3, 1_000);
      frames.push(...page.frames);
      if (page.frames.length === 0) return frames;
    }
  }

  /** Runs all messages to their ends: each queued message has one `stream_end`, and the states sum up. */
  async settle(): Promise<void> {
    await this.crash();
    await this.under.passTime(1_000);
    for (;;) {
      const result = await this.under.store.claim({ replicaId: this.under.replicaId, limit: 2, leaseMs: 60_000 });
      this.model.claim(2, result);
      if (result.claims.length === 0) break;
      for (const { lease } of result.claims) {
        const end = this.end(lease, 'done');
        const message = this.model.write(lease, end.frames, [], await this.under.store.finish(lease, end));
        if (message) message.status = 'done';
      }
    }
    await this.compare();
    const queued = this.model.messages.filter(({ status }) => status !== 'observed');
    const ends = SESSIONS.flatMap(({ id }) => this.model.log(id)).filter(({ type }) => type === 'stream_end');
    expect(ends.map(({ messageRef }) => messageRef).sort()).toEqual(queued.map(({ ref }) => ref).sort());
    expect(this.model.unfinished()).toEqual([]);
  }
}
