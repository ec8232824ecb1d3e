import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../../testing/manual-clock.js';
import type { StorePorts } from '../../../testing/store/bench.js';
import { storeAt } from '../../../testing/test-stores.js';
import type { OutboxPart } from '../../store/index.js';
import { SilentLogs } from '../../telemetry/logs.js';
import { NoMetrics } from '../../telemetry/metrics.js';
import { Admission, type Admitting } from './admission.js';
import type { CommonAccountSettings } from '../account-settings.js';
import type { Update } from '../driver.js';
import { MovedChats } from './moved-chats.js';
import { Persistence } from '../persistence.js';
import { Senders } from './senders.js';

let clock: ManualClock;
let store: StorePorts;
let notes: OutboxPart[];
let turnedAway: number;

beforeEach(async () => {
  clock = new ManualClock();
  notes = [];
  turnedAway = 0;
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  await store.open();
});
afterEach(() => store.close());

/** Returns a function that admits, in a run of its own. */
async function makeAdmission(settings: Partial<CommonAccountSettings> = {}) {
  const log = new SilentLogs().for();
  const lease = (await store.takeAccount('pigeon', 'replica-1', 3_600_000))!;
  const persistence = new Persistence(clock, log, new AbortController().signal);
  const senders = new Senders(store, lease, persistence);
  const moved = new MovedChats(store, lease, persistence);
  await senders.load();
  await moved.load();
  const common = { dm_policy: 'pairing', allow_from: [], group_policy: 'allowlist', groups: [], ...settings };
  const run = { channel: 'pigeon', lease, store, clock, log, senders, moved, persistence, settings: common };
  const admission = new Admission({
    ...run,
    sendNote: (note: OutboxPart) => void notes.push(note),
    noteTurnedAway: () => void turnedAway++,
  } as unknown as Admitting);
  const admit = async (changes: Partial<Update>) => {
    const update = { id: '1', sender: 'ann', place: { chat: 'ann' }, sentAt: 0, raw: 0, ...changes };
    return (await admission.admit(update))?.sender;
  };
  const knows = (sender: string) => admission.admits({ sender });
  return { admit, senders, moved, knows, forget: (sender: string) => admission.forget(sender) };
}

it('[V-22] two IDs of a person are one sender: the first one, in settings either, also in the next run', async () => {
  const first = await makeAdmission({ allow_from: ['+49 1', 'DE.2'] });
  expect(await first.admit({ sender: '+49 1', aliases: [] })).toBe('+49 1');
  expect(await first.admit({ sender: 'DE.1', aliases: ['+49 1'] })).toBe('+49 1');
  expect(await first.admit({ sender: 'DE.2', aliases: ['+49 2'] })).toBe('DE.2');
  expect(await first.admit({ sender: '+49 2', aliases: [] })).toBe('DE.2');
  const second = await makeAdmission({ allow_from: ['DE.1'] });
  expect(await second.admit({ sender: '+49 1' })).toBe('+49 1');
  await second.senders.join(['DE.1', 'DE.9']);
  expect(await second.admit({ sender: 'DE.9' })).toBe('+49 1');
  expect(await second.admit({ sender: 'DE.2' })).toBeUndefined();
});

it('[V-22] a code that was approved for one ID of a person lets in the others', async () => {
  const { admit, knows } = await makeAdmission();
  expect(await admit({ sender: 'DE.1', aliases: ['+49 1'] })).toBeUndefined();
  expect(await admit({ sender: '+49 1', aliases: [] })).toBeUndefined();
  const [request, ...others] = await store.listPairings('pigeon');
  expect([request?.sender, others]).toEqual(['DE.1', []]);
  expect(knows('+49 1')).toBe(false);
  await store.approvePairing('pigeon', request?.code ?? '', 'operator');
  expect(await admit({ sender: '+49 1', aliases: [] })).toBe('DE.1');
  expect(knows('+49 1')).toBe(true);
});

it('[V-22] people who are found to be one have one ID from then on', async () => {
  const { admit } = await makeAdmission({ allow_from: ['*'] });
  for (const sender of ['a', 'b']) expect(await admit({ sender, aliases: [] })).toBe(sender);
  expect(await admit({ sender: 'a', aliases: ['b', 'c'] })).toBe('a');
  for (const sender of ['a', 'b', 'c']) expect(await admit({ sender })).toBe('a');
});

it('[V-22] the new owner of a phone number is not the person who had it before', async () => {
  const { admit, senders } = await makeAdmission({ allow_from: ['+49 1'] });
  expect(await admit({ sender: '+49 1', aliases: [] })).toBe('+49 1');
  expect(await admit({ sender: 'DE.1', aliases: ['+49 1'] })).toBe('+49 1');
  for (const _ of ['first', 'second']) expect(await admit({ sender: 'DE.2', aliases: ['+49 1'] })).toBeUndefined();
  expect(await admit({ sender: 'DE.1', aliases: ['+49 3'] })).toBe('+49 1');
  expect(senders.firstOf('DE.2')).toBe('DE.2');
});

it('[V-05] of a stranger who gets no code nothing is stored, not even the other IDs', async () => {
  const { admit } = await makeAdmission();
  for (const n of [1, 2, 3, 4, 5]) expect(await admit({ sender: `DE.${n}`, aliases: [`+49 ${n}`] })).toBeUndefined();
  expect(turnedAway).toBe(2);
  const known = (await store.listSenderAliases('pigeon')).map(({ alias }) => alias);
  expect(known.toSorted()).toEqual(['+49 1', '+49 2', '+49 3', 'DE.1', 'DE.2', 'DE.3']);
  const closed = await makeAdmission({ dm_policy: 'allowlist', allow_from: ['+49 7'] });
  expect(await closed.admit({ sender: 'DE.6', aliases: ['+49 6'] })).toBeUndefined();
  expect(closed.senders.firstOf('+49 6')).toBe('+49 6');
  expect(await closed.admit({ sender: 'DE.7', aliases: ['+49 7'] })).toBe('DE.7');
});

it('[V-05] a sender who was put out is a stranger at once in the run that learns of it, and after two seconds in others', async () => {
  const [here, elsewhere] = [await makeAdmission(), await makeAdmission()];
  await here.admit({});
  const [request] = await store.listPairings('pigeon');
  await store.approvePairing('pigeon', request?.code ?? '', 'operator');
  for (const { admit } of [here, elsewhere]) expect(await admit({})).toBe('ann');
  await store.revokePairing('pigeon', 'ann', 'operator');
  here.forget('ann');
  expect([await here.admit({}), await elsewhere.admit({})]).toEqual([undefined, 'ann']);
  await clock.advanceAsync(2_001);
  expect(await elsewhere.admit({})).toBeUndefined();
});

it('an edit or a reaction of a stranger gets no code', async () => {
  const { admit } = await makeAdmission();
  await admit({ change: { kind: 'edit', messageId: '0' } });
  await admit({ reaction: { action: 'added', messageId: '0', ref: '0', emoji: '👍' } });
  expect([notes, await store.listPairings('pigeon')]).toEqual([[], []]);
  await admit({});
  expect(notes).toHaveLength(1);
});

it('[V-21] a bot is ignored unless the settings admit bots', async () => {
  const bot = { isBot: true } as const;
  expect(await (await makeAdmission({ allow_from: ['*'], allow_bots: false })).admit(bot)).toBeUndefined();
  expect(await (await makeAdmission({ allow_from: ['*'], allow_bots: true })).admit(bot)).toBe('ann');
});

it('settings may name a group by its old ID or by its new one', async () => {
  for (const groups of [['old'], ['new']]) {
    const { admit, moved } = await makeAdmission({ groups });
    await moved.move('old', 'new');
    expect([await admit({ groupId: 'new' }), await admit({ groupId: 'other' })]).toEqual(['ann', undefined]);
  }
});
