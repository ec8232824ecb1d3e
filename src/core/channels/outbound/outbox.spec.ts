import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import type { StorePorts } from '../../../testing/store/bench.js';
import { storeAt } from '../../../testing/test-stores.js';
import type { DurableFrame } from '../../store/index.js';
import { SilentLogs } from '../../telemetry/logs.js';
import { NoMetrics } from '../../telemetry/metrics.js';
import { AccountPace } from '../account-pace.js';
import { CallsUnderWay } from '../calls-under-way.js';
import { DeliveryError, type Driver, type Part } from '../driver.js';
import { LateFailures } from './late-failures.js';
import { MovedChats } from '../inbound/moved-chats.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import { Persistence } from '../persistence.js';
import { toPlainText } from '../kit/text-length.js';

let clock: ManualClock;
let store: StorePorts;
let ending: AbortController;
let sent: string[];
let confirmed: number[];
let lost: string[];
/** Called when the outbox reads a session again. */
let onResume: (seq: number) => void;
/** Called with the number of messages that were sent. */
let onSent: (count: number) => void;

beforeEach(async () => {
  clock = new ManualClock();
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  [ending, sent, confirmed, lost] = [new AbortController(), [], [], []];
  [onResume, onSent] = [() => {}, () => {}];
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
  const send = async ({ place, texts }: Part) => {
    const count = sent.push(`${place.chat}: ${toPlainText(texts)}`);
    onSent(count);
    return `out-${count}`;
  };
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
    hideSecrets: (text: string) => text.replaceAll('bot-token', '***'),
    count: () => {},
    fail: (error: unknown) => expect(error).toBe(signal.reason),
    confirm: (_: string, seq: number) => void confirmed.push(seq),
    resume: (_: string, seq: number) => onResume(seq),
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
  const outbox = await makeOutbox(() => Promise.reject(new DeliveryError('refused', 'no such person at bot-token')));
  outbox.take(aReply());
  await eventually(() => confirmed.length > 0);
  expect([sent, confirmed, lost]).toEqual([[], [2], ['no such person at ***']]);
});

describe('a session with more replies than wait in memory', () => {
  const LAST = 40;

  /** The frames of replies 1 to `count`, of two frames each. */
  function listFrames(count: number): DurableFrame[] {
    return Array.from({ length: count }, (_, n) =>
      aReply().map((frame) => ({
        ...frame,
        seq: 2 * n + frame.seq,
        messageRef: `m_${n + 1}`,
        messageId: `id-${n + 1}`,
        payload: frame.payload.replace('good morning', `reply ${n + 1}`),
      })),
    ).flat();
  }
  const inOrder = Array.from({ length: LAST }, (_, n) => `chat-of-ann: reply ${n + 1}`);

  it('[V-03] delivers all of them in order, whatever comes meanwhile', async () => {
    const log = listFrames(LAST);
    const outbox = await makeOutbox(async () => ({ chat: 'chat-of-ann' }));
    let live = 2 * (LAST - 2);
    const rereads: number[] = [];
    onResume = (seq) => {
      rereads.push(seq);
      // What is sent before the gateway has the request comes from the old place.
      outbox.take(log.slice(live, live + 1));
      setImmediate(() => {
        outbox.takeResumed('s_1');
        outbox.take(log.slice(seq));
      });
    };
    onSent = (count) => {
      if (count === 3) outbox.take(log.slice(live, (live += 2)));
    };
    outbox.take(log.slice(0, live));
    await eventually(() => confirmed.at(-1) === log.length);
    expect([sent, rereads]).toEqual([inOrder, [32, 64]]);
  });

  it('takes the rest of a reply that waits already once, also if it follows what was left out', async () => {
    const log = listFrames(20);
    const [begin, end] = log.slice(30, 32) as [DurableFrame, DurableFrame];
    // The end of reply 16 comes after reply 17.
    const mixed = [...log.slice(0, 30), begin, ...log.slice(32, 34), end, ...log.slice(34)].map((frame, n) => ({
      ...frame,
      seq: n + 1,
    }));
    const outbox = await makeOutbox(async () => ({ chat: 'chat-of-ann' }));
    onResume = (seq) =>
      setImmediate(() => {
        outbox.takeResumed('s_1');
        outbox.take(mixed.slice(seq));
      });
    outbox.take(mixed);
    await eventually(() => confirmed.at(-1) === mixed.length);
    expect(sent).toEqual(inOrder.slice(0, 20));
  });
});
