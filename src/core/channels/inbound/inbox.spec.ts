import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import type { StorePorts } from '../../../testing/store/bench.js';
import { storeAt } from '../../../testing/test-stores.js';
import { GatewayError } from '../../../protocol/domain.js';
import type { AcceptedEvent } from '../../connections/connection.js';
import type { IncomingMessage } from '../../intake/message-intake.service.js';
import type { OutboxPart } from '../../store/index.js';
import { SilentLogs } from '../../telemetry/logs.js';
import { NoMetrics } from '../../telemetry/metrics.js';
import { DeliveryError, DriverError, type Reading, type Update, type Updates } from '../driver.js';
import { Inbox, type Receiver } from './inbox.js';
import { LostLeaseError, Persistence } from '../persistence.js';

let clock: ManualClock;
let store: StorePorts;
let submitted: IncomingMessage[];
let failures: unknown[];
/** The ref of a message that waits for its turn. */
let waitingRef: string | undefined;
let reactions: unknown[];
let notes: OutboxPart[];
/** The messages that were accepted, each with its place if it is new. */
let places: unknown[];
/** Ends the run of the newest inbox. */
let ending: AbortController;

beforeEach(async () => {
  clock = new ManualClock();
  submitted = [];
  failures = [];
  waitingRef = undefined;
  reactions = [];
  notes = [];
  places = [];
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
    admit: async (update: Update) => update,
    findWaiting: () => waitingRef,
    moved: { firstOf: (id: string) => id },
    addNote: async (note: OutboxPart) => void notes.push(note),
    submit: (message: IncomingMessage) => void submitted.push(message),
    onAccepted: (messageRef: string, place?: object) => void places.push([messageRef, place]),
    react: async (...reaction: unknown[]) => void reactions.push(reaction),
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
const accept = (inbox: Inbox, requestId: string, status: AcceptedEvent['status'] = 'queued') =>
  inbox.take({
    kind: 'accepted',
    requestId,
    status,
    message: { messageRef: `m_${requestId}` },
  });
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

it('[V-01] a redelivery that is stored just when its message is settled leaves no row behind', async () => {
  const settleInbox = store.settleInbox.bind(store);
  const inbox = await makeInbox(asMessage);
  let isRedelivered = false;
  store.settleInbox = async (...all) => {
    const isSettled = await settleInbox(...all);
    if (!isRedelivered) {
      isRedelivered = true;
      await inbox.receive([anUpdate(1)]);
    }
    return isSettled;
  };
  await inbox.receive([anUpdate(1)]);
  for (const [count, status] of [
    [1, 'queued'],
    [2, 'duplicate'],
  ] as const) {
    await expect.poll(submittedTexts).toHaveLength(count);
    accept(inbox, 'pigeon:ann:1', status);
  }
  await expect.poll(() => store.listInbox('pigeon')).toEqual([]);
  // An earlier run may have sent a part of the reply to what was accepted before: its parts are read from the store.
  expect(places).toEqual([
    ['m_pigeon:ann:1', { chat: 'ann' }],
    ['m_pigeon:ann:1', undefined],
  ]);
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

it('an update that cannot be read for an hour is left out with a note, and the next one of its chat is answered', async () => {
  const inbox = await makeInbox((updates) =>
    updates[0].raw === 1 ? Promise.reject(new DeliveryError('not_sent', 'the file is not there')) : asMessage(updates),
  );
  await inbox.receive([anUpdate(1), anUpdate(2)]);
  for (let passed = 0; passed < 80; passed++) {
    expect(passed < 60 ? submittedTexts() : []).toEqual([]);
    await clock.advanceAsync(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(submittedTexts).toEqual(['2']);
  expect(notes.map(({ replyTo }) => replyTo)).toEqual(['reading:pigeon:ann:1']);
});

it('a piece of a message that was answered is not answered by itself in the next run', async () => {
  const join = { key: 'album', waitMs: 1_000 };
  let read: readonly string[][] = [];
  const note = (updates: Updates): Reading => {
    read = [...read, updates.map(({ id }) => id)];
    return { kind: 'ignored', reason: 'it was read' };
  };
  const inbox = await makeInbox(note);
  await inbox.receive([anUpdate(1, { join }), anUpdate(2, { join })]);
  await clock.advanceAsync(1_000);
  await vi.waitFor(async () => expect(await store.listInbox('pigeon')).toEqual([]));
  ending.abort();
  const next = await makeInbox(note);
  await next.receive([anUpdate(2, { join }), anUpdate(3)]);
  await clock.advanceAsync(1_000);
  await vi.waitFor(async () => expect(await store.listInbox('pigeon')).toEqual([]));
  expect(read).toEqual([[anUpdate(1).id, anUpdate(2).id], [anUpdate(3).id]]);
});

it('an update whose time cannot be is one of the present, and can be read again', async () => {
  const inbox = await makeInbox(() => ({ kind: 'ignored', reason: 'nothing' }));
  const times = [2 ** 61, -1, Number.NaN, Number.POSITIVE_INFINITY, clock.now() + 2 * 86_400_000];
  for (const [n, sentAt] of times.entries())
    await inbox.receive([anUpdate(n, { sentAt, place: { chat: `chat ${n}` } })]);
  expect(failures).toEqual([]);
  const chats = await store.listChats('pigeon', 9);
  expect(chats.map(({ sentAt }) => sentAt)).toEqual(times.map(() => clock.now()));
});

describe('an edit', () => {
  const edit = (n: number) => ({ change: { kind: 'edit', messageId: `pigeon:ann:${n}` } }) as const;
  const payloads = () => submitted.map(({ payload }) => payload);

  it('[V-19] replaces a message that waits; once the turn has begun it is context', async () => {
    const inbox = await makeInbox(asMessage);
    waitingRef = 'm_1';
    await inbox.receive([anUpdate(2, edit(1))]);
    const metadata = { edited: true, edits: 'pigeon:ann:1' };
    await expect
      .poll(payloads)
      .toEqual([{ channel: 'pigeon', sender: 'ann', content: '2', metadata, supersedes: 'm_1' }]);
    const error = new GatewayError('INVALID_PAYLOAD', { faults: [] });
    inbox.take({ kind: 'refused', requestId: 'pigeon:ann:2', sessionId: undefined, error });
    await expect
      .poll(() => payloads()[1])
      .toEqual({ channel: 'pigeon', sender: 'ann', content: '2', metadata, observe: true });
  });

  it('[V-19] is submitted again after a crash as it was, whatever waits then', async () => {
    waitingRef = 'm_1';
    await (await makeInbox(asMessage)).receive([anUpdate(2, edit(1))]);
    await expect.poll(() => submitted.length).toBe(1);
    waitingRef = undefined;
    await makeInbox(asMessage);
    await expect.poll(() => submitted.length).toBe(2);
    expect(submitted[1]).toEqual(submitted[0]);
  });

  it('[V-19] a deletion takes back a message that waits, and starts no turn', async () => {
    waitingRef = 'm_1';
    const inbox = await makeInbox(() => Promise.reject(new Error('nothing is read')));
    await inbox.receive([anUpdate(2, { change: { kind: 'deletion', messageId: 'pigeon:ann:1' } })]);
    await expect
      .poll(() => payloads()[0])
      .toMatchObject({ content: '[deleted]', supersedes: 'm_1', observe: true, metadata: { deletes: 'pigeon:ann:1' } });
  });

  it('[V-19] that changes nothing that people see is left out', async () => {
    const inbox = await makeInbox(asMessage);
    await inbox.receive([anUpdate(1, { visible: ['a'] }), anUpdate(2, { visible: ['a'], ...edit(1) })]);
    await inbox.receive([anUpdate(3, { visible: ['b'], ...edit(1) })]);
    expect((await store.listInbox('pigeon')).map(({ messageId }) => messageId)).toEqual([
      'pigeon:ann:1',
      'pigeon:ann:3',
    ]);
    store.addInbox = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', {}));
    const lost = [anUpdate(4, { visible: ['c'], ...edit(1) })];
    await expect(inbox.receive(lost)).rejects.toThrow(GatewayError);
    await expect(inbox.receive(lost)).rejects.toThrow(GatewayError);
  });
});

it('[V-20] a reaction is applied and is not a message; one to a part of a reply is one to its message', async () => {
  const inbox = await makeInbox(asMessage);
  const lease = (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!;
  const place = JSON.stringify({ chat: 'ann' });
  const part = { number: 0, state: 'sent', place, doubts: 0, notBefore: 0, deadline: 0, createdAt: 1 } as const;
  await store.writePart(lease, { ...part, replyTo: 'm_7', ref: 'out-7' });
  const react = (n: number, ref: string) =>
    anUpdate(n, { reaction: { action: 'added', messageId: `pigeon:ann:${ref}`, ref, emoji: '👍' } });
  await inbox.receive([react(1, 'out-7'), react(2, '5')]);
  const reaction = { channel: 'pigeon', sender: 'ann', action: 'added', emoji: '👍' };
  await expect
    .poll(() => reactions)
    .toEqual([
      ['pigeon:ann:1', { ...reaction, messageId: 'm_7' }],
      ['pigeon:ann:2', { ...reaction, messageId: 'pigeon:ann:5' }],
    ]);
  await expect.poll(() => store.listInbox('pigeon')).toEqual([]);
  expect(submitted).toEqual([]);
});

it('[V-21] a bot is answered five times in ten minutes, when it addresses the agent, until a person writes', async () => {
  const inbox = await makeInbox(([{ raw }]) => ({
    kind: 'message',
    message: { content: String(raw), ...(raw !== 0 && { is_direct_mention: true }) },
  }));
  const observed: unknown[] = [];
  for (const [n, isBot] of [true, true, true, true, true, true, true, true, false, true].entries()) {
    await inbox.receive([anUpdate(n, { isBot })]);
    await expect.poll(() => submitted.length).toBe(n + 1);
    observed.push(submitted[n]?.payload.observe ?? false);
    accept(inbox, `pigeon:ann:${n}`);
  }
  expect(observed).toEqual([true, false, false, false, false, false, true, true, false, false]);
});
