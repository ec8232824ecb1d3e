import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReplyBench } from '../../../../test/support/reply-bench.js';
import type { OutboxPart } from '../../store/index.js';
import { ChatLane } from './chat-lane.js';
import { DeliveryError } from '../driver.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import { PartSender } from './part-sender.js';

const HOUR_MS = 3_600_000;

let bench: ReplyBench;
let sender: PartSender;
beforeEach(async () => {
  bench = await ReplyBench.open();
  sender = new PartSender(bench.run, new ChatLane(bench.clock, bench.run.signal, 0));
});
afterEach(() => {
  bench.ending.abort();
  return bench.close();
});

const limit = (ms: number) => new DeliveryError('not_sent', 'too many requests', ms);
const texts = (number: number) => [{ kind: 'text', text: `text ${number}` } as const];

/** Sends a part that was not sent before, or in another state. */
function send(number: number, changes: Partial<OutboxPart> = {}): Promise<string> {
  const part = bench.aPart({ state: 'waiting', number, deadline: 0, ...changes });
  const sending = sender.send(part, texts(number), bench.clock.now()).then(({ part: { state } }) => state);
  return sending.catch((error: unknown) => {
    if (bench.run.signal.aborted) return 'ended';
    throw error;
  });
}

/** Lets time pass, second by second. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await bench.clock.advanceAsync(1_000);
    for (let tick = 0; tick < 5; tick++) await new Promise((resolve) => setImmediate(resolve));
  }
}

const states = async () => (await bench.listParts()).map(({ state, doubts }) => [state, doubts]);

describe('[V-24] while the platform makes a chat wait', () => {
  it('for too long, each part is a dead letter at once, and nothing is sent late', async () => {
    bench.driver.failures = [limit(2 * HOUR_MS)];
    const all = Promise.all([send(0), send(1), send(2)]);
    await pass(5);
    expect(await all).toEqual(['dead', 'dead', 'dead']);
    const reasons = (await bench.listParts()).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['it was too old when the platform could take it']));
    expect(bench.driver.calls).toEqual(['send text 0']);
  });

  it('its parts wait, no call is made, and the time is known after a crash', async () => {
    bench.driver.failures = [limit(600_000)];
    void send(0);
    await pass(2);
    void send(1);
    await pass(10);
    expect([bench.driver.calls, await states()]).toEqual([
      ['send text 0'],
      [
        ['waiting', 0],
        ['waiting', 0],
      ],
    ]);
    expect(await bench.store.listHeldChats('pigeon')).toEqual([
      { place: '{"chat":"ann"}', until: expect.closeTo(bench.clock.now() + 588_000, -4) },
    ]);
    await pass(600);
    expect(bench.driver.calls).toEqual(['send text 0', 'send text 0', 'send text 1']);
    expect([await states(), bench.run.counted]).toEqual([
      [
        ['sent', 0],
        ['sent', 0],
      ],
      ['sent', 'sent'],
    ]);
    expect(await bench.store.listHeldChats('pigeon')).toEqual([]);
  });

  it('the next run makes no call there before the time that this one has stored', async () => {
    const held = bench.aPart({ state: 'waiting', notBefore: bench.clock.now() + 60_000 });
    const content = JSON.stringify(texts(1));
    const note = bench.aPart({ state: 'waiting', replyTo: 'note:1', deadline: 0, content });
    for (const part of [held, note]) await bench.store.writePart(bench.run.lease, part);
    const outbox = new Outbox(bench.run as unknown as OutboxOwner);
    await outbox.load();
    outbox.start();
    outbox.sendNote(note);
    await pass(50);
    expect(bench.driver.calls).toEqual([]);
    await pass(20);
    expect(bench.driver.calls).toEqual(['send text 1']);
  });

  it('because of an edit, the time is known after a crash, too', async () => {
    const part = bench.aPart({ state: 'sent', ref: 'out-1' });
    await bench.store.writePart(bench.run.lease, part);
    bench.driver.failures = [limit(60_000)];
    expect(await sender.edit(part, texts(0), bench.clock.now(), true)).toBe(false);
    expect(await sender.edit(part, texts(1), bench.clock.now(), true)).toBe(false);
    expect(bench.driver.calls).toEqual(['edit out-1 text 0']);
    expect(await bench.store.listHeldChats('pigeon')).toHaveLength(1);
    expect(await bench.listParts()).toMatchObject([{ state: 'sent', ref: 'out-1' }]);
  });

  it('a superfluous message is deleted afterwards', async () => {
    bench.driver.failures = [limit(30_000)];
    const removing = sender.remove('out-1', { chat: 'ann' }, bench.clock.now());
    await pass(40);
    await removing;
    expect(bench.driver.calls).toEqual(['remove out-1', 'remove out-1']);
  });
});

it('a part that may have arrived, and is refused for a while when it is repeated, is looked up and not sent again', async () => {
  await bench.makeRun({}, { repeatableMs: 120_000 });
  sender = new PartSender(bench.run, new ChatLane(bench.clock, bench.run.signal, 0));
  bench.driver.lookUp = async () => ({ ref: 'found' });
  bench.driver.failures = [new DeliveryError('unknown', 'lost'), limit(180_000)];
  const sending = send(0);
  await pass(200);
  expect([await sending, bench.driver.calls]).toEqual(['sent', ['send text 0', 'send text 0']]);
  expect(bench.run.counted).toEqual([]);
  expect(await bench.listParts()).toMatchObject([{ state: 'sent', ref: 'found' }]);
});
