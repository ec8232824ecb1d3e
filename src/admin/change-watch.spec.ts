import { beforeEach, describe, expect, it } from 'vitest';
import type { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { DEFAULT_TENANT } from '../core/identity/principal.js';
import type { NodesService } from '../core/nodes/nodes.service.js';
import type { DeadLetter } from '../core/store/index.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import type { EventSource } from '../http/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { ChangeWatchService, LOOK_INTERVAL_MS, MAX_WATCHED_LETTERS } from './change-watch.service.js';
import { LiveEventsService } from './live-events.service.js';

let clock: ManualClock;
let events: LiveEventsService;
let watch: ChangeWatchService;
/** Newest first, as the store lists them. */
let letters: DeadLetter[];

beforeEach(() => {
  clock = new ManualClock();
  events = new LiveEventsService(clock);
  letters = [];
  const channels = {
    states: new Map([['pigeon', { state: 'connected', since: 1 }]]),
    countDeadLetters: async () => (letters.length === 0 ? {} : { pigeon: letters.length }),
    listDeadLetters: async ({ limit }: { limit: number }) => letters.slice(0, limit),
  } as unknown as ChannelManagerService;
  const nodes = { list: async () => [] } as unknown as NodesService;
  const config = { version: 1 } as ConfigStoreService;
  watch = new ChangeWatchService(events, channels, nodes, config, clock, new SilentLogs());
  watch.start();
});

const aLetter = (id: number) =>
  ({
    id,
    channel: 'pigeon',
    place: '{"chat":"ann"}',
    replyTo: `m_${id}`,
    reason: 'refused',
    createdAt: 1,
  }) as DeadLetter;

async function follow(): Promise<EventSource> {
  await watch.prepare(DEFAULT_TENANT);
  return events.follow(DEFAULT_TENANT, undefined);
}

function read(source: EventSource, kind: string): unknown[] {
  const rows: unknown[] = [];
  for (let event = source.next(); event; event = source.next())
    if (event.event === kind) rows.push(JSON.parse(event.data));
  return rows;
}

const look = () => clock.advanceAsync(LOOK_INTERVAL_MS);

describe('dead letters', () => {
  it('each become an event, though as many are discarded before the next look', async () => {
    letters = [aLetter(2), aLetter(1)];
    const source = await follow();
    letters = [aLetter(3), aLetter(2)];
    await look();
    expect(read(source, 'dead_letter')).toEqual([
      expect.objectContaining({ id: 3, channel: 'pigeon', chat: 'ann', reason: 'refused', state: 'dead' }),
      { tenant: DEFAULT_TENANT, id: 1, channel: 'pigeon', state: 'gone' },
    ]);
  });

  it('are known to the first reader from the moment at which it follows', async () => {
    letters = [aLetter(1)];
    const source = await follow();
    letters = [aLetter(2), aLetter(1)];
    await look();
    expect(read(source, 'dead_letter')).toMatchObject([{ id: 2, state: 'dead' }]);
  });

  it('that newer ones push out of the list are not called gone', async () => {
    const ids = Array.from({ length: MAX_WATCHED_LETTERS }, (_, index) => MAX_WATCHED_LETTERS - index);
    letters = ids.map(aLetter);
    const source = await follow();
    letters.unshift(aLetter(MAX_WATCHED_LETTERS + 1));
    await look();
    expect(read(source, 'dead_letter')).toMatchObject([{ id: MAX_WATCHED_LETTERS + 1, state: 'dead' }]);
  });

  it('are counted in the event of their channel', async () => {
    const source = await follow();
    letters = [aLetter(1)];
    await look();
    expect(read(source, 'channel')).toMatchObject([{ name: 'pigeon', state: 'connected', dead_letters: 1 }]);
  });
});
