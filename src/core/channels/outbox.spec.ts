import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { StorePorts } from '../../testing/store/bench.js';
import { storeAt } from '../../testing/test-stores.js';
import type { DurableFrame } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import { AccountPace } from './account-pace.js';
import { CallsUnderWay } from './calls-under-way.js';
import { DeliveryError, type Driver, type Part } from './driver.js';
import { LateFailures } from './late-failures.js';
import { MovedChats } from './moved-chats.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import { Persistence } from './persistence.js';
import { toPlainText } from './text-length.js';

let clock: ManualClock;
let store: StorePorts;
let ending: AbortController;
let sent: string[];
let confirmed: number[];
let lost: string[];

beforeEach(async () => {
  clock = new ManualClock();
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  [ending, sent, confirmed, lost] = [new AbortController(), [], [], []];
  await store.open();
});
afterEach(async () => {
  ending.abort();
  await store.close();
});

/** The outbox of an account whose driver finds places with `findPlace`. */
async function makeOutbox(findPlace: NonNullable<Driver['findPlace']>): Promise<Outbox> {
  const { signal } = ending;
  const log = new SilentLogs().for();
  const lease = (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!;
  const persistence = new Persistence(clock, log, signal);
  const send = async ({ place, texts }: Part) => `out-${sent.push(`${place.chat}: ${toPlainText(texts)}`)}`;
  const run = {
    channel: 'pigeon',
    lease,
    store,
    clock,
    log,
    signal,
    persistence,
    driver: { send, findPlace },
    capabilities: { edits: false, maxLength: 99, lengthUnit: 'bytes', minEditIntervalMs: { direct: 0, group: 0 } },
    settings: { show_tools: false, delivery_max_age_ms: 3_600_000 },
    moved: new MovedChats(store, lease, persistence),
    pace: new AccountPace(clock, signal),
    calls: new CallsUnderWay(),
    count: () => {},
    fail: (error: unknown) => expect(error).toBe(signal.reason),
    confirm: (_: string, seq: number) => void confirmed.push(seq),
    resume: () => {},
    noteLost: (reason: string) => void lost.push(reason),
    findTarget: async () => ({ sender: 'ann' }),
  };
  const owner = { ...run, failures: new LateFailures(run) } as unknown as OutboxOwner;
  const outbox = new Outbox(owner);
  outbox.start();
  return outbox;
}

/** A reply to a message that another client has submitted. */
function aReply(): DurableFrame[] {
  const names = { messageRef: 'm_1', messageId: 'id-1', sessionId: 's_1', timestamp: clock.now() };
  const block = { index: 0, block_id: 'b_0', block_type: 'text', content: 'good morning', attempt: 1 };
  return [
    { ...names, type: 'stream_block', seq: 1, payload: JSON.stringify(block) },
    { ...names, type: 'stream_end', seq: 2, payload: JSON.stringify({ reason: 'stop', blocks: 1 }) },
  ];
}

/** Lets time pass until something holds. */
async function eventually(check: () => boolean): Promise<void> {
  await expect
    .poll(async () => {
      await clock.advanceAsync(1_000);
      return check();
    })
    .toBe(true);
}

it('[V-27] the place of a reply is asked for again while the platform is limited', async () => {
  const failures = [new DeliveryError('not_sent', 'too many requests', 5_000), new Error('no response')];
  const outbox = await makeOutbox(async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return { chat: 'chat-of-ann' };
  });
  outbox.take(aReply());
  await eventually(() => confirmed.length > 0);
  expect([sent, confirmed]).toEqual([['chat-of-ann: good morning'], [2]]);
});

it('a reply whose place the platform refuses does not hold up the next one', async () => {
  const outbox = await makeOutbox(() => Promise.reject(new DeliveryError('refused', 'no such person')));
  outbox.take(aReply());
  await eventually(() => confirmed.length > 0);
  expect([sent, confirmed, lost]).toEqual([[], [2], ['no such person']]);
});
