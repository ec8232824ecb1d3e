import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import type { StorePorts } from '../../testing/store/bench.js';
import { storeAt } from '../../testing/test-stores.js';
import { GatewayError } from '../../protocol/domain.js';
import type { AcceptedEvent } from '../connections/connection.js';
import type { IncomingMessage } from '../intake/message-intake.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import { DriverError, type Reading, type Update, type Updates } from './driver.js';
import { Inbox, type Receiver } from './inbox.js';
import { LostLeaseError, Persistence } from './persistence.js';

let clock: ManualClock;
let store: StorePorts;
let submitted: IncomingMessage[];
let failures: unknown[];
/** Ends the run of the newest inbox. */
let ending: AbortController;

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
  ending = new AbortController();
  const { signal } = ending;
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
    fail(error: unknown) {
      failures.push(error);
      ending.abort();
    },
    admit: async () => true,
    addNote: async () => {},
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

it('[V-01] takes what a platform hands over when it is stored, and rejects it when the store cannot', async () => {
  const commits = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()];
  const waiting = commits.values();
  store.addInbox = () => waiting.next().value!.promise;
  const inbox = await makeInbox(asMessage);
  let isTaken = false;
  const taking = inbox.receive([anUpdate(1)]).then(() => (isTaken = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect([isTaken, submitted]).toEqual([false, []]);
  commits[0]?.resolve(true);
  await taking;
  await expect.poll(submittedTexts).toEqual(['1']);
  commits[1]?.reject(new GatewayError('STORE_UNAVAILABLE', {}));
  await expect(inbox.receive([anUpdate(2)])).rejects.toThrow(GatewayError);
  expect(failures).toEqual([]);
});

it('[V-01] takes nothing under a lease that another replica has replaced, and ends the run', async () => {
  const inbox = await makeInbox(asMessage);
  clock.advance(3_600_000);
  await store.takeAccount('pigeon', 'replica-2', 3_600_000);
  await expect(inbox.receive([anUpdate(1)])).rejects.toThrow(LostLeaseError);
  expect(failures).toEqual([expect.any(LostLeaseError)]);
  expect([await store.listInbox('pigeon'), submitted]).toEqual([[], []]);
});

it('[V-01] takes nothing once the run has ended, also what waited for room', async () => {
  const inbox = await makeInbox(asMessage);
  await inbox.receive(Array.from({ length: 10_000 }, (_, n) => anUpdate(n)));
  const waiting = inbox.receive([anUpdate(10_000)]);
  ending.abort();
  await expect(waiting).rejects.toThrow('aborted');
  await expect(inbox.receive([anUpdate(10_001)])).rejects.toThrow('aborted');
  expect(await store.listInbox('pigeon')).toHaveLength(10_000);
});

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

it('[V-16] a part of an album that is delivered again after its answer is neither answered nor joined', async () => {
  const join = { key: 'album', waitMs: 1_000 };
  const first = await makeInbox(asMessage);
  await first.receive([anUpdate(1, { join }), anUpdate(2, { join })]);
  await clock.advanceAsync(1_000);
  await expect.poll(submittedTexts).toEqual(['1 2']);
  const second = await makeInbox(asMessage);
  await expect.poll(submittedTexts).toEqual(['1 2', '1 2']);
  accept(second, 'pigeon:ann:1');
  await expect.poll(() => store.listInbox('pigeon')).toEqual([]);
  await second.receive([anUpdate(2, { join }), anUpdate(3, { join })]);
  await clock.advanceAsync(1_000);
  await expect
    .poll(async () => (await store.listInbox('pigeon')).map(({ messageId }) => messageId))
    .toEqual(['pigeon:ann:3']);
  await clock.advanceAsync(1_000);
  await expect.poll(submittedTexts).toEqual(['1 2', '1 2', '3']);
});

it('an ID that is too long for the protocol is replaced by its hash', async () => {
  const inbox = await makeInbox(asMessage);
  await inbox.receive([anUpdate(1, { id: `pigeon:${'x'.repeat(200)}` })]);
  await expect.poll(() => submitted.length).toBe(1);
  expect(submitted[0]?.id).toMatch(/^pigeon:sha256:[0-9a-f]{64}$/);
});

it('an update that meets a refused credential stays for the next run', async () => {
  const refused = new DriverError('bad_credential', 'the token is refused');
  await (await makeInbox(() => Promise.reject(refused))).receive([anUpdate(1)]);
  await expect.poll(() => failures[0]).toBe(refused);
  await makeInbox(asMessage);
  await expect.poll(submittedTexts).toEqual(['1']);
});
