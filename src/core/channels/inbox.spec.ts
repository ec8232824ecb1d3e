import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { StorePorts } from '../../testing/store/bench.js';
import { storeAt } from '../../testing/test-stores.js';
import type { AcceptedEvent } from '../connections/connection.js';
import type { IncomingMessage } from '../intake/message-intake.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import type { Reading, Update, Updates } from './driver.js';
import { Inbox, type Receiver } from './inbox.js';
import { Persistence } from './persistence.js';

let clock: ManualClock;
let store: StorePorts;
let submitted: IncomingMessage[];
let failures: unknown[];

beforeEach(async () => {
  clock = new ManualClock();
  submitted = [];
  failures = [];
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  await store.open();
});
afterEach(() => store.close());

/** An inbox whose driver reads with `read`. */
async function makeInbox(read: (updates: Updates) => Reading | Promise<Reading>): Promise<Inbox> {
  const { signal } = new AbortController();
  const log = new SilentLogs().for();
  const run = {
    channel: 'pigeon',
    lease: (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!,
    driver: { read },
    settings: { max_age_ms: 3_600_000, require_mention: true },
    store,
    persistence: new Persistence(clock, log, signal),
    clock,
    log,
    signal,
    platformTime: clock.now(),
    fail: (error: unknown) => void failures.push(error),
    admit: async () => true,
    tell: async () => {},
    submit: (message: IncomingMessage) => void submitted.push(message),
    onAccepted: () => {},
  } as unknown as Receiver;
  const inbox = new Inbox(run);
  await inbox.load();
  inbox.start();
  return inbox;
}

const anUpdate = (n: number, changes: Partial<Update> = {}): Update => ({
  id: `pigeon:ann:${n}`,
  sender: 'ann',
  place: { chat: 'ann' },
  sentAt: clock.now(),
  raw: n,
  ...changes,
});
const accept = (inbox: Inbox, requestId: string) =>
  inbox.take({
    kind: 'accepted',
    requestId,
    status: 'queued',
    message: { messageRef: `m_${requestId}` },
  } as AcceptedEvent);
const asMessage = (updates: Updates): Reading => ({
  kind: 'message',
  message: { content: updates.map(({ raw }) => String(raw)).join(' ') },
});
const submittedTexts = () => submitted.map(({ payload }) => payload.content);

it('an account takes no more while ten thousand updates wait', async () => {
  const inbox = await makeInbox(asMessage);
  await inbox.receive(Array.from({ length: 10_000 }, (_, n) => anUpdate(n)));
  let isTaken = false;
  const taking = inbox.receive([anUpdate(10_000)]).then(() => (isTaken = true));
  await expect.poll(() => submitted.length).toBe(1);
  expect(isTaken).toBe(false);
  accept(inbox, 'pigeon:ann:0');
  await taking;
  expect(await store.listInbox('pigeon')).toHaveLength(10_000);
});

it('[V-02] what a look-up found is submitted again after a crash, whatever it would find now', async () => {
  let name = 'Ann';
  const read = async (): Promise<Reading> => ({ kind: 'message', message: { content: 'hello', sender_name: name } });
  await (await makeInbox(read)).receive([anUpdate(1)]);
  await expect.poll(() => submitted.length).toBe(1);
  name = 'Ann Berg';
  const inbox = await makeInbox(read);
  await expect.poll(() => submitted.length).toBe(2);
  expect(submitted[1]).toEqual(submitted[0]);
  accept(inbox, 'pigeon:ann:1');
  await expect.poll(() => store.listInbox('pigeon')).toEqual([]);
  expect(await store.findPlace('pigeon', 'm_pigeon:ann:1', 'unknown')).toBe('{"chat":"ann"}');
});

it('[V-16] what was joined before a crash stays one message, also when more comes', async () => {
  const join = { key: 'album', waitMs: 1_000 };
  const first = await makeInbox(asMessage);
  await first.receive([anUpdate(1, { join }), anUpdate(2, { join })]);
  await clock.advanceAsync(1_000);
  await expect.poll(submittedTexts).toEqual(['1 2']);
  const second = await makeInbox(asMessage);
  await second.receive([anUpdate(3, { join })]);
  await expect.poll(submittedTexts).toEqual(['1 2', '1 2']);
  accept(second, 'pigeon:ann:1');
  await clock.advanceAsync(1_000);
  await expect.poll(submittedTexts).toEqual(['1 2', '1 2', '3']);
  expect((await store.listInbox('pigeon')).map(({ messageId }) => messageId)).toEqual(['pigeon:ann:3']);
  expect(failures).toEqual([]);
});

it('an ID that is too long for the protocol is replaced by its hash', async () => {
  const inbox = await makeInbox(asMessage);
  await inbox.receive([anUpdate(1, { id: `pigeon:${'x'.repeat(200)}` })]);
  await expect.poll(() => submitted.length).toBe(1);
  expect(submitted[0]?.id).toMatch(/^pigeon:sha256:[0-9a-f]{64}$/);
});
