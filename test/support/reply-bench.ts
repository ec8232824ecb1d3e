import { AccountPace } from '../../src/core/channels/account-pace.js';
import type { CommonAccountSettings } from '../../src/core/channels/account-settings.js';
import { CallsUnderWay } from '../../src/core/channels/calls-under-way.js';
import { ChatLane } from '../../src/core/channels/outbound/chat-lane.js';
import type { Capabilities, Driver, Part } from '../../src/core/channels/driver.js';
import type { LateFailures } from '../../src/core/channels/outbound/late-failures.js';
import { MovedChats } from '../../src/core/channels/inbound/moved-chats.js';
import { Persistence } from '../../src/core/channels/persistence.js';
import { ReplyDelivery } from '../../src/core/channels/outbound/reply-delivery.js';
import { ReplyProgress } from '../../src/core/channels/outbound/reply-progress.js';
import type { PartOutcome, RunContext } from '../../src/core/channels/run-context.js';
import { toPlainText } from '../../src/core/channels/kit/text-length.js';
import type { DurableFrame, OutboxPart } from '../../src/core/store/index.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { NoMetrics } from '../../src/core/telemetry/metrics.js';
import type { StreamBlock } from '../../src/protocol/domain.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import type { StorePorts } from '../../src/testing/store/bench.js';
import { storeAt } from '../../src/testing/test-stores.js';

/** The message that is answered. */
export const REF = 'm_1';
const PLACE = { chat: 'ann' };

/** A platform that records calls and fails as the test says. */
class FakeDriver implements Driver {
  readonly calls: string[] = [];
  /** True if the parts that were sent and edited could still grow. */
  readonly growing: (boolean | undefined)[] = [];
  isOpen: Driver['isOpen'];
  readonly shown = new Map<string, string>();
  /** Messages that are sent wait for it. */
  gate: Promise<void> | undefined;
  failures: (Error | undefined)[] = [];
  lookUp: Driver['lookUp'];
  remove: Driver['remove'] = async (ref) => this.call(`remove ${ref}`, () => this.shown.delete(ref));

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  read(): never {
    throw new Error('nothing is read');
  }

  async send({ texts, isGrowing }: Part): Promise<string> {
    this.growing.push(isGrowing);
    await this.gate;
    const ref = `out-${this.shown.size + 1}`;
    const text = toPlainText(texts);
    this.call(`send ${text}`, () => this.shown.set(ref, text));
    return ref;
  }

  async edit(ref: string, { texts, isGrowing }: Part): Promise<void> {
    this.growing.push(isGrowing);
    const text = toPlainText(texts);
    this.call(`edit ${ref} ${text}`, () => this.shown.set(ref, text));
  }

  private call(name: string, effect: () => unknown): void {
    this.calls.push(name);
    const failure = this.failures.shift();
    if (failure) throw failure;
    effect();
  }
}

/** A run of an account with a recorded platform, and the frames of one reply. */
export class ReplyBench {
  readonly clock = new ManualClock();
  readonly store: StorePorts = storeAt('sqlite::memory:')(this.clock, new SilentLogs(), new NoMetrics()).store;
  readonly driver = new FakeDriver();
  /** Ends the run. */
  ending = new AbortController();
  run!: RunContext & { readonly counted: PartOutcome[] };
  private seq = 0;

  private constructor() {}

  static async open(): Promise<ReplyBench> {
    const bench = new ReplyBench();
    await bench.store.open();
    await bench.makeRun();
    return bench;
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** Begins another run, with other settings or another platform. */
  async makeRun(settings: Partial<CommonAccountSettings> = {}, capabilities: Partial<Capabilities> = {}) {
    const { clock, store, driver } = this;
    const ending = (this.ending = new AbortController());
    const counted: PartOutcome[] = [];
    const log = new SilentLogs().for();
    const lease = (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!;
    const persistence = new Persistence(clock, log, ending.signal);
    this.run = {
      channel: 'pigeon',
      lease,
      moved: new MovedChats(store, lease, persistence),
      pace: new AccountPace(clock, ending.signal, capabilities.editsPerMinute),
      calls: new CallsUnderWay(),
      failures: { report: () => {}, noteSent: async () => {} } as unknown as LateFailures,
      driver,
      capabilities: {
        edits: true,
        maxLength: 20,
        lengthUnit: 'code points',
        minEditIntervalMs: { direct: 1_000, group: 3_000 },
        ...capabilities,
      },
      settings: { show_tools: false, delivery_max_age_ms: 3_600_000, ...settings } as CommonAccountSettings,
      store,
      persistence,
      clock,
      log,
      signal: ending.signal,
      hideSecrets: (text) => text.replaceAll('bot-token', '***'),
      count: (outcome) => void counted.push(outcome),
      fail: () => {},
      counted,
    };
  }

  frame(type: DurableFrame['type'], payload: object): DurableFrame {
    const names = { messageRef: REF, messageId: 'id-1', sessionId: 's_1' };
    return { type, ...names, seq: ++this.seq, timestamp: this.clock.now(), payload: JSON.stringify(payload) };
  }

  aBlock(index: number, content: string, type: StreamBlock['block_type'] = 'markdown'): DurableFrame {
    return this.frame('stream_block', { index, block_id: `b_${index}`, block_type: type, content, attempt: 1 });
  }

  anEnd(blocks: number, changes: object = {}): DurableFrame {
    return this.frame('stream_end', { reason: 'stop', blocks, ...changes });
  }

  aRestart(from: number): DurableFrame {
    return this.frame('stream_restart', { attempt: 2, replaces_from_seq: from });
  }

  aPart(changes: Partial<OutboxPart> = {}): OutboxPart {
    return {
      replyTo: REF,
      number: 0,
      state: 'sending',
      place: JSON.stringify(PLACE),
      doubts: 0,
      notBefore: 0,
      deadline: this.clock.now() + 30_000,
      createdAt: this.clock.now(),
      ...changes,
    };
  }

  listParts(): Promise<readonly OutboxPart[]> {
    return this.store.listParts('pigeon', REF);
  }

  /** Begins the delivery of a reply with its first frame. */
  deliver(first: DurableFrame, isNew = true): DeliveryUnderTest {
    return new DeliveryUnderTest(this.clock, this.run, first, isNew);
  }
}

/** The delivery of one reply. */
class DeliveryUnderTest {
  isDone = false;
  private error: unknown;
  private readonly reply: ReplyProgress;
  private readonly done: Promise<unknown>;

  constructor(
    private readonly clock: ManualClock,
    run: RunContext,
    first: DurableFrame,
    isNew: boolean,
  ) {
    this.reply = new ReplyProgress(REF, 'id-1', true, clock.now());
    this.reply.take(first);
    const lane = new ChatLane(clock, run.signal, 1_000);
    this.done = new ReplyDelivery(run, this.reply, PLACE, lane).deliver(isNew).then(
      () => (this.isDone = true),
      (failure: unknown) => (this.error = failure),
    );
  }

  async takeDelta(text: string): Promise<void> {
    const names = { sessionId: 's_1', messageRef: REF, messageId: 'id-1', blockId: 'b_1' };
    this.reply.takeDelta({ kind: 'delta', ...names, blockType: 'markdown', text });
    await this.settle();
  }

  async take(next: DurableFrame): Promise<void> {
    this.reply.take(next);
    await this.settle();
  }

  /** Lets time pass, and what is under way then happen. */
  async settle(ms = 0): Promise<void> {
    await this.clock.advanceAsync(ms);
    for (let tick = 0; tick < 20; tick++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits for the end of the delivery. @throws its error */
  async finish(ms = 5_000): Promise<void> {
    for (let passed = 0; passed <= ms && !this.isDone && this.error === undefined; passed += 1_000)
      await this.settle(1_000);
    await this.done;
    if (this.error !== undefined) throw this.error;
  }
}
