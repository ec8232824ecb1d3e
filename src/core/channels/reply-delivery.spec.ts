import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StreamBlock } from '../../protocol/domain.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { storeAt } from '../../testing/test-stores.js';
import type { StorePorts } from '../../testing/store/bench.js';
import { NoMetrics } from '../telemetry/metrics.js';
import { SilentLogs } from '../telemetry/logs.js';
import type { DurableFrame, OutboxPart } from '../store/index.js';
import { AccountPace } from './account-pace.js';
import type { CommonAccountSettings } from './account-settings.js';
import { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type Capabilities, type Driver, type Part } from './driver.js';
import { LateFailures } from './late-failures.js';
import { MovedChats } from './moved-chats.js';
import { LostLeaseError, Persistence } from './persistence.js';
import { ReplyDelivery } from './reply-delivery.js';
import { ReplyProgress } from './reply-progress.js';
import type { PartOutcome, RunContext } from './run-context.js';
import { toPlainText } from './text-length.js';

const REF = 'm_1';
const PLACE = { chat: 'ann' };

/** A platform that records calls and fails as the test says. */
class FakeDriver implements Driver {
  readonly calls: string[] = [];
  readonly shown = new Map<string, string>();
  failures: (Error | undefined)[] = [];
  lookUp: Driver['lookUp'];
  remove: Driver['remove'] = async (ref) => this.call(`remove ${ref}`, () => this.shown.delete(ref));

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  read(): never {
    throw new Error('nothing is read');
  }

  async send({ texts }: Part): Promise<string> {
    const ref = `out-${this.shown.size + 1}`;
    const text = toPlainText(texts);
    this.call(`send ${text}`, () => this.shown.set(ref, text));
    return ref;
  }

  async edit(ref: string, { texts }: Part): Promise<void> {
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

let clock: ManualClock;
let store: StorePorts;
let driver: FakeDriver;
let run: RunContext & { readonly ending: AbortController; readonly counted: PartOutcome[] };
let seq: number;

beforeEach(async () => {
  clock = new ManualClock();
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  await store.open();
  driver = new FakeDriver();
  seq = 0;
  await makeRun();
});
afterEach(() => store.close());

async function makeRun(settings: Partial<CommonAccountSettings> = {}, capabilities: Partial<Capabilities> = {}) {
  const ending = new AbortController();
  const counted: PartOutcome[] = [];
  const log = new SilentLogs().for();
  const lease = (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!;
  const persistence = new Persistence(clock, log, ending.signal);
  run = {
    channel: 'pigeon',
    lease,
    moved: new MovedChats(store, lease, persistence),
    pace: new AccountPace(clock, ending.signal, capabilities.editsPerMinute),
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
    count: (outcome) => void counted.push(outcome),
    fail: () => {},
    ending,
    counted,
  };
}

function frame(type: DurableFrame['type'], payload: object): DurableFrame {
  const names = { messageRef: REF, messageId: 'id-1', sessionId: 's_1' };
  return { type, ...names, seq: ++seq, timestamp: clock.now(), payload: JSON.stringify(payload) };
}

const aBlock = (index: number, content: string, type: StreamBlock['block_type'] = 'markdown') =>
  frame('stream_block', { index, block_id: `b_${index}`, block_type: type, content, attempt: 1 });
const anEnd = (blocks: number, changes: object = {}) => frame('stream_end', { reason: 'stop', blocks, ...changes });
const aRestart = (from: number) => frame('stream_restart', { attempt: 2, replaces_from_seq: from });

/** A reply under delivery. */
function deliver(first: DurableFrame, isNew = true) {
  const reply = new ReplyProgress(REF, 'id-1', true, clock.now());
  reply.take(first);
  const lane = new ChatLane(clock, run.signal, 1_000);
  let isDone = false;
  let error: unknown;
  const done = new ReplyDelivery(run, reply, PLACE, lane).deliver(isNew).then(
    () => (isDone = true),
    (failure: unknown) => (error = failure),
  );
  const settle = async (ms = 0) => {
    await clock.advanceAsync(ms);
    for (let tick = 0; tick < 20; tick++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    takeDelta: async (text: string) => {
      const names = { sessionId: 's_1', messageRef: REF, messageId: 'id-1', blockId: 'b_1' };
      reply.takeDelta({ kind: 'delta', ...names, blockType: 'markdown', text });
      await settle();
    },
    take: async (next: DurableFrame) => {
      reply.take(next);
      await settle();
    },
    settle,
    finish: async (ms = 5_000) => {
      for (let passed = 0; passed <= ms && !isDone && error === undefined; passed += 1_000) await settle(1_000);
      await done;
      if (error !== undefined) throw error;
    },
    get isDone() {
      return isDone;
    },
  };
}

const parts = () => store.listParts('pigeon', REF);
const aPart = (changes: Partial<OutboxPart> = {}): OutboxPart => ({
  replyTo: REF,
  number: 0,
  state: 'sending',
  place: JSON.stringify(PLACE),
  doubts: 0,
  notBefore: 0,
  deadline: clock.now() + 30_000,
  createdAt: clock.now(),
  ...changes,
});

describe('a reply that grows', () => {
  it('appears at once, is edited at the pace of the chat, and ends as it stands', async () => {
    const delivery = deliver(aBlock(0, 'one'));
    await delivery.settle();
    expect(driver.calls).toEqual(['send one']);
    await delivery.take(aBlock(1, 'two'));
    await delivery.take(aBlock(2, 'three'));
    expect(driver.calls).toHaveLength(1);
    await delivery.settle(1_000);
    expect(driver.calls.slice(1)).toEqual(['edit out-1 one\n\ntwo\n\nthree']);
    await delivery.take(aBlock(3, 'four'));
    await delivery.take(anEnd(4));
    await delivery.finish();
    expect([...driver.shown.values()]).toEqual(['one\n\ntwo\n\nthree', 'four']);
    expect(await parts()).toMatchObject([
      { number: 0, state: 'sent', ref: 'out-1' },
      { number: 1, state: 'sent', ref: 'out-2' },
    ]);
  });

  it('grows within a block too', async () => {
    const delivery = deliver(aBlock(0, 'one'));
    await delivery.settle();
    await delivery.takeDelta('tw');
    await delivery.settle(1_000);
    await delivery.takeDelta('o');
    await delivery.settle(1_000);
    await delivery.take(aBlock(1, 'two'));
    await delivery.take(anEnd(2));
    await delivery.finish();
    expect(driver.calls).toEqual(['send one', 'edit out-1 one\n\ntw', 'edit out-1 one\n\ntwo']);
  });

  it('replaces blocks that a restart takes back, and removes messages that are left over', async () => {
    const delivery = deliver(aBlock(0, 'a text of 18 chars'));
    await delivery.take(aBlock(1, 'another of 19 chars'));
    await delivery.settle(2_000);
    expect(driver.shown.size).toBe(2);
    await delivery.take(aRestart(1));
    await delivery.take(aBlock(0, 'short'));
    await delivery.take(anEnd(1));
    await delivery.finish();
    expect([...driver.shown.entries()]).toEqual([['out-1', 'short']]);
  });

  it('makes a dash of what is left over where messages cannot be deleted', async () => {
    driver.remove = undefined;
    const delivery = deliver(aBlock(0, 'a text of 18 chars'));
    await delivery.take(aBlock(1, 'another of 19 chars'));
    await delivery.settle(2_000);
    await delivery.take(aRestart(1));
    await delivery.take(aBlock(0, 'short'));
    await delivery.take(anEnd(1));
    await delivery.finish();
    expect([...driver.shown.values()]).toEqual(['short', '–']);
  });

  it('an edit that fails is left out until the end, which is repeated until it is shown', async () => {
    const delivery = deliver(aBlock(0, 'one'));
    await delivery.settle();
    driver.failures = [new DeliveryError('not_sent', 'busy', 2_000), new DeliveryError('unknown', 'lost')];
    await delivery.take(aBlock(1, 'two'));
    await delivery.settle(1_000);
    await delivery.take(anEnd(2));
    await delivery.finish(20_000);
    expect([...driver.shown.values()]).toEqual(['one\n\ntwo']);
    expect(run.counted).toEqual(['sent']);
  });

  it('a last edit that the platform refuses is a dead letter', async () => {
    await store.writePart(run.lease, aPart({ state: 'sent', ref: 'out-1' }));
    driver.failures = [new DeliveryError('refused', 'the message is gone')];
    driver.failures.push(driver.failures[0]);
    const delivery = deliver(aBlock(0, 'one'), false);
    await delivery.take(anEnd(1));
    await delivery.finish();
    expect(driver.calls).toEqual(['edit out-1 one']);
    expect(await parts()).toMatchObject([{ state: 'dead', reason: 'the message is gone' }]);
    expect(run.counted).toEqual(['dead']);
  });

  it('shows its error as a message of its own', async () => {
    const delivery = deliver(aBlock(0, 'half an answer'));
    await delivery.take(
      anEnd(1, { reason: 'error', error: { code: 'AGENT_FAILED', message: 'broke', retryable: false } }),
    );
    await delivery.finish();
    expect([...driver.shown.values()]).toEqual(['half an answer', '⚠ broke']);
  });
});

describe('the limits of an account', () => {
  it('[V-24] growing replies leave a fifth of the edits, and the end of a reply waits for one', async () => {
    await makeRun({}, { editsPerMinute: 5 });
    const delivery = deliver(aBlock(0, 'a'));
    for (let index = 1; index < 9; index++) {
      await delivery.settle(1_000);
      await delivery.take(aBlock(index, 'b'));
    }
    await delivery.settle(1_000);
    expect(driver.calls.filter((call) => call.startsWith('edit'))).toHaveLength(4);
    for (let edit = 0; edit < 1; edit++) await run.pace.takeEdit();
    await delivery.take(anEnd(9));
    await delivery.settle(1_000);
    expect(delivery.isDone).toBe(false);
    await delivery.finish(60_000);
    expect([...driver.shown.values()].join('').split('b')).toHaveLength(9);
  });

  it('[V-24] a 429 of the account makes every chat wait', async () => {
    driver.failures = [new DeliveryError('not_sent', 'busy', 30_000, { isAccountWide: true })];
    const delivery = deliver(aBlock(0, 'one'));
    await delivery.settle();
    const before = clock.elapsed();
    const other = new ReplyProgress('m_2', 'id-2', true, clock.now());
    other.take({ ...aBlock(0, 'two'), messageRef: 'm_2' });
    other.take({ ...anEnd(1), messageRef: 'm_2' });
    const done = new ReplyDelivery(run, other, { chat: 'bob' }, new ChatLane(clock, run.signal, 0)).deliver(true);
    await delivery.settle(29_000);
    expect(driver.shown.size).toBe(0);
    await delivery.settle(2_000);
    await done;
    expect(clock.elapsed() - before).toBeGreaterThanOrEqual(30_000);
    await delivery.take(anEnd(1));
    await delivery.finish();
  });
});

it('[V-25] what the platform reports as failed later is a dead letter with its text, also if the report comes first', async () => {
  await makeRun({ streaming: 'final' }, { failsLater: true });
  const failures = new LateFailures(run);
  (run as { failures: LateFailures }).failures = failures;
  failures.report('out-1', 'the window is closed');
  const delivery = deliver(aBlock(0, 'hello'));
  await delivery.take(anEnd(1));
  await delivery.finish();
  const [letter] = await store.listDeadLetters({ limit: 9 });
  expect(letter).toMatchObject({ reason: 'the window is closed', content: '[{"kind":"markdown","text":"hello"}]' });
  expect(run.counted).toEqual(['sent', 'dead']);
});

it('a code block that is longer than a message is a file where the platform takes files', async () => {
  await makeRun({}, { media: { file: 1_000 } });
  const sent: Part[] = [];
  driver.send = async (part) => `out-${sent.push(part)}`;
  const delivery = deliver({ ...aBlock(0, 'before') });
  const payload = {
    index: 1,
    block_id: 'b_1',
    block_type: 'code',
    content: 'x'.repeat(50),
    attempt: 1,
    metadata: { language: 'ts' },
  };
  await delivery.take(frame('stream_block', payload));
  await delivery.take(anEnd(2));
  await delivery.finish();
  expect(sent.map(({ texts }) => texts[0]?.kind)).toEqual(['markdown', 'file']);
  expect(sent[1]?.texts[0]).toMatchObject({
    name: 'code.ts',
    source: expect.stringMatching(/^data:text\/plain;base64,/),
  });
});

it('only the first part of a reply refers to the message', async () => {
  const places: unknown[] = [];
  driver.send = async ({ place }) => `out-${places.push(place)}`;
  const reply = new ReplyProgress(REF, 'id-1', true, clock.now());
  reply.take(aBlock(0, 'a text of 18 chars'));
  reply.take(aBlock(1, 'another of 19 chars'));
  reply.take(anEnd(2));
  await new ReplyDelivery(run, reply, { chat: 'ann', replyTo: '7' }, new ChatLane(clock, run.signal, 0)).deliver(true);
  expect(places).toEqual([{ chat: 'ann', replyTo: '7' }, { chat: 'ann' }]);
});

describe('where messages cannot be changed', () => {
  it('a block is sent once no restart can take it back', async () => {
    await makeRun({}, { edits: false });
    const delivery = deliver(aBlock(0, 'first'));
    await delivery.settle(5_000);
    expect(driver.calls).toEqual([]);
    await delivery.take(aRestart(1));
    await delivery.take(aBlock(0, 'second'));
    await delivery.take(frame('tool_status', { call_id: 'c', tool: 'test.look', status: 'requested' }));
    expect(driver.calls).toEqual(['send second']);
    await delivery.take(aBlock(1, 'third'));
    await delivery.settle(5_000);
    expect(driver.calls).toHaveLength(1);
    await delivery.take(anEnd(2));
    await delivery.finish();
    expect(driver.calls).toEqual(['send second', 'send third']);
  });

  it('tool calls are shown when the settings say so', async () => {
    const call = JSON.stringify({ call_id: 'c', tool: 'test.look', parameters: {} });
    for (const [show_tools, texts] of [
      [false, ['done']],
      [true, ['test.look …', 'done']],
    ] as const) {
      await makeRun({ show_tools }, { edits: false });
      const before = driver.calls.length;
      const delivery = deliver(aBlock(0, call, 'tool_call'));
      await delivery.take(aBlock(1, '{}', 'tool_result'));
      await delivery.take(aBlock(2, 'done'));
      await delivery.take(anEnd(3));
      await delivery.finish();
      expect(driver.calls.slice(before)).toEqual(texts.map((text) => `send ${text}`));
      await store.writePart(run.lease, aPart({ state: 'waiting' }));
    }
  });
});

describe('a part whose outcome is unknown', () => {
  const again = async () => {
    const delivery = deliver(aBlock(0, 'hello'), false);
    await delivery.take(anEnd(1));
    return delivery;
  };

  it('is sent again and counted where the platform cannot be asked', async () => {
    await store.writePart(run.lease, aPart());
    await (await again()).finish();
    expect(driver.calls).toEqual(['send hello']);
    expect(run.counted).toEqual(['possibly_twice', 'sent']);
    expect(await parts()).toMatchObject([{ state: 'sent', doubts: 1 }]);
  });

  it.each([
    [119_000, []],
    [121_000, [`${REF}.0`, `${REF}.0`]],
  ])(
    'is sent again at once, not counted and not looked up while the platform recognises it: after %d ms',
    async (age, looks) => {
      await makeRun({}, { repeatableMs: 120_000 });
      const asked: string[] = [];
      driver.lookUp = async ({ id }) => {
        asked.push(id);
        return 'absent';
      };
      await store.writePart(run.lease, aPart({ createdAt: clock.now() - age }));
      await (await again()).finish(60_000);
      expect([driver.calls, asked, run.counted]).toEqual([['send hello'], looks, ['sent']]);
    },
  );

  it('is looked up again while the platform limits look-ups', async () => {
    await store.writePart(run.lease, aPart({ deadline: 0 }));
    const limits = [7_000, 7_000];
    driver.lookUp = async () => {
      const retryAfterMs = limits.pop();
      if (retryAfterMs !== undefined) throw new DeliveryError('not_sent', 'limited', retryAfterMs);
      return { ref: 'found' };
    };
    await (await again()).finish(20_000);
    expect([driver.calls, run.counted]).toEqual([['edit found hello'], []]);
  });

  it('[V-08] is looked up until the first call cannot arrive any more, and not sent again when it is there', async () => {
    await store.writePart(run.lease, aPart());
    const asked: number[] = [];
    driver.lookUp = async ({ id }) => {
      asked.push(clock.now() - before);
      return id === `${REF}.0` && asked.length > 1 ? { ref: 'found' } : 'absent';
    };
    const before = clock.now();
    const delivery = await again();
    await delivery.finish(40_000);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBeGreaterThanOrEqual(30_000);
    expect(driver.calls).toEqual(['edit found hello']);
    expect(await parts()).toMatchObject([{ state: 'sent', ref: 'found', doubts: 0 }]);
  });

  it('that the platform shows already is found at once', async () => {
    await store.writePart(run.lease, aPart());
    driver.lookUp = async () => ({ ref: 'found' });
    await (await again()).finish(1_000);
    expect(driver.calls).toEqual(['edit found hello']);
  });

  it('is sent again without a doubt when the platform certainly does not have it', async () => {
    await store.writePart(run.lease, aPart({ deadline: 0 }));
    driver.lookUp = async () => 'absent';
    await (await again()).finish();
    expect([driver.calls, run.counted]).toEqual([['send hello'], ['sent']]);
  });

  it('a call without a response in time is one', async () => {
    await makeRun({ streaming: 'final' });
    const send = driver.send.bind(driver);
    let calls = 0;
    driver.send = async (part) => (++calls === 1 ? new Promise<never>(() => {}) : send(part));
    const delivery = deliver(aBlock(0, 'hello'));
    await delivery.take(anEnd(1));
    await delivery.finish(60_000);
    expect([calls, run.counted]).toEqual([2, ['possibly_twice', 'sent']]);
  });
});

describe('a run that ends', () => {
  it('sends nothing more once another replica has the account', async () => {
    await makeRun({ streaming: 'final' });
    await store.releaseAccount(run.lease);
    await store.takeAccount('pigeon', 'replica-2', 10_000);
    const delivery = deliver(aBlock(0, 'hello'));
    await delivery.take(anEnd(1));
    await expect(delivery.finish()).rejects.toThrow(LostLeaseError);
    expect(driver.calls).toEqual([]);
  });

  it('puts back the part that a revoked credential refused', async () => {
    driver.failures = [new DriverError('bad_credential', 'revoked')];
    const delivery = deliver(aBlock(0, 'hello'));
    await expect(delivery.finish()).rejects.toThrow('revoked');
    expect(await parts()).toMatchObject([{ state: 'waiting', doubts: 0 }]);
  });
});
