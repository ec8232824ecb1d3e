import { beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError, type RecentChat } from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { CatchUp, type ListedChannel } from './catch-up.js';
import { RefusedCallError } from '../platform/verdict.js';
import type { DiscordRest } from './rest.js';
import { toSnowflake, type Channel } from './updates.js';

const GUILD = '500000000000000001';
const SINCE = Date.parse('2026-11-26T12:00:00Z');
/** An ID of so many seconds after `SINCE`. */
const at = (seconds: number) => String(toSnowflake(SINCE + seconds * 1_000));

let chats: RecentChat[];
let people: string[];
let groups: string[];
let direct: Map<string, ListedChannel | Error>;
/** The chats that were read, with the time from which on. */
let read: Map<string, number>;
let closed: string[];
let failures: Map<string, Error>;
let opened: number;

beforeEach(() => {
  [chats, people, groups, closed, opened] = [[], [], [], [], 0];
  [direct, read, failures] = [new Map(), new Map(), new Map()];
});

const make = (signal = new AbortController().signal) =>
  new CatchUp({
    rest: { call: (_: string, path: string) => readPage(path) } as unknown as DiscordRest,
    link: {
      listChats: async () => chats,
      closeGap: async (chat) => void closed.push(chat),
      listPeople: async () => people,
      admits: (who) => ('groupId' in who ? groups.includes(who.groupId) : people.includes(who.sender)),
      answersSince: SINCE,
      log: new SilentLogs().for(),
    },
    clock: new ManualClock(),
    signal,
    findChannel: async (): Promise<Channel> => ({ type: 0, guild_id: GUILD }),
    openDirect: async (person) => {
      opened++;
      const channel = direct.get(person);
      if (channel instanceof Error) throw channel;
      return channel;
    },
    receive: async () => {},
  });

async function readPage(path: string): Promise<readonly object[]> {
  const [, chat = '', after = '0'] = /channels\/(\d+)\/messages\?after=(\d+)/.exec(path) ?? [];
  read.set(chat, Number((BigInt(after) + 1n) >> 22n) + 1_420_070_400_000);
  const failure = failures.get(chat);
  if (failure) throw failure;
  return [];
}

const known = (chat: number, since = SINCE): RecentChat => ({ place: { chat: String(chat) }, sentAt: since, since });

describe('after a start', () => {
  it('a chat is read from its gap on, and has none once it was read', async () => {
    chats = [known(1, SINCE + 5_000), known(2)];
    failures.set('2', new RefusedCallError(50_013, 'no'));
    const catchUp = make();
    await catchUp.begin();
    expect(read.get('1')).toBe(SINCE + 5_000);
    expect(closed).toEqual(['1']);
    expect(catchUp.gap).toMatch(/1 chats/);
  });

  it('no further call is made once nothing new should be taken', async () => {
    const ending = new AbortController();
    chats = Array.from({ length: 20 }, (_, n) => known(n));
    for (let n = 0; n < 20; n++) failures.set(String(n), new DeliveryError('not_sent', 'too many requests', 60_000));
    const done = make(ending.signal).begin();
    await expect.poll(() => read.size).toBe(4);
    ending.abort();
    await done;
    expect(read.size).toBe(4);
  });

  it('the direct chats of people who may write are read if they have something new', async () => {
    people = ['11', '12', '13', '14', 'not an ID'];
    chats = [known(211)];
    direct.set('11', { id: '211', type: 1, last_message_id: at(9) });
    direct.set('12', { id: '212', type: 1, last_message_id: at(9) });
    direct.set('13', { id: '213', type: 1, last_message_id: at(-9) });
    direct.set('14', new DeliveryError('not_sent', 'too many requests', 60_000));
    const catchUp = make();
    await catchUp.begin();
    expect([...read.keys()]).toEqual(['211', '212']);
    expect([opened, catchUp.gap]).toEqual([4, expect.stringMatching(/1 chats/)]);
  });

  it('the direct chats of at most 20 people are opened', async () => {
    people = Array.from({ length: 30 }, (_, n) => String(n));
    await make().begin();
    expect(opened).toBe(20);
  });
});

describe('the channels of a server', () => {
  const channel = (id: number, more: object = {}) => ({ id: String(id), type: 0, last_message_id: at(id), ...more });

  it('are read when their messages reach the agent and one is new, threads by their channel', async () => {
    groups = ['1', '2', '4', '6'];
    const catchUp = make();
    const threads = [channel(7, { type: 11, parent_id: '1' }), channel(8, { type: 11, parent_id: '3' })];
    const channels = [channel(1), channel(2, { last_message_id: at(-1) }), channel(3), channel(4, { type: 15 })];
    await catchUp.readGuild({ id: GUILD, channels: [...channels, channel(6, { last_message_id: null })], threads });
    expect(Object.fromEntries(read)).toEqual({ 1: SINCE, 7: SINCE });
    await catchUp.readGuild({ id: GUILD, channels: [channel(1)], threads });
    expect(closed).toHaveLength(2);
  });

  it('are not read from before the bot came', async () => {
    groups = ['1', '9'];
    const joined_at = new Date(SINCE + 5_000).toISOString();
    await make().readGuild({ id: GUILD, joined_at, channels: [channel(1), channel(9)] });
    expect([...read]).toEqual([['9', SINCE + 5_000]]);
  });

  it('are read up to 50, those with the newest messages; the state says that there were more', async () => {
    const channels = Array.from({ length: 60 }, (_, n) => channel(n + 1));
    groups = channels.map(({ id }) => id);
    const catchUp = make();
    await catchUp.readGuild({ id: GUILD, channels });
    expect([read.size, read.has('11'), read.has('10')]).toEqual([50, true, false]);
    expect(catchUp.gap).toMatch(/10 chats/);
  });
});

it('a direct chat of a person who may write is read once when its first message arrives', async () => {
  people = ['11'];
  const catchUp = make();
  const first = (chat: string, person: string) =>
    catchUp.readDirect({ id: at(9), channel_id: chat, type: 0, author: { id: person } });
  await first('211', '11');
  await first('212', '12');
  await first('211', '11');
  expect([...read.keys()]).toEqual(['211']);
  expect(closed).toEqual(['211']);
});
