import { CONNECTIONS, fillStore, PER_CONNECTION, type Filling } from '../filled-stores.ts';
import { LoadProcess } from '../load-process.ts';
import type { FloodOptions } from '../load/flood.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import { median } from '../statistics.ts';
import type { Scenario, Size } from './scenario.ts';

const STARTS = 3;

/** A thousand conversations with ten messages each; a filled store has copies of them. */
function stored(messages: number, size: Size): Filling {
  const count = size.pick(10_000, 500);
  return { sent: { count, sessions: size.pick(1_000, 50), until: 'end' }, messages: Math.max(messages, count) };
}

/** A store of 300 thousand messages, 300 in each of a thousand sessions; far fewer in a quick run. */
export function storeOf300Thousand(size: Size): Filling {
  return stored(size.pick(300_000, 2_500), size);
}

/** G12a and G12d: whether a message, or a start, costs more when many messages are stored. */
export const storedMessages: Scenario = {
  name: 'many stored messages',
  figures: ['G12a', 'G12d'],
  async measure(size) {
    const small = stored(10_000, size);
    const large = stored(size.pick(2_000_000, 10_000), size);
    const load = { count: size.pick(40_000, 200), sessions: size.pick(1_000, 50) };
    const fewUs = await measureAcks(small, load);
    const someUs = await measureAcks(storeOf300Thousand(size), load);
    const manyUs = await measureAcks(large, load);
    const emptyStart = await measureStart(undefined, size);
    const largeStart = await measureStart(await fillStore(large), size);
    return {
      G12a: manyUs / fewUs,
      G12d: largeStart.cpuUs / emptyStart.cpuUs,
      'ack with 10 thousand messages stored: CPU us': fewUs,
      'ack with 300 thousand messages stored: CPU us': someUs,
      'ack with 2 million messages stored: CPU us': manyUs,
      'start with 2 million messages: CPU ms until ready': largeStart.cpuUs / 1_000,
      'start with 2 million messages / empty, until ready': largeStart.ms / emptyStart.ms,
    };
  },
};

/** G12b: whether a message to a group costs more when many people take part. */
export const participants: Scenario = {
  name: 'many participants',
  figures: ['G12b'],
  async measure(size) {
    const measureWith = (senders: number) => {
      const group = { kind: 'group', sessions: 1, isShared: true, senders } as const;
      return measureAcks(
        { sent: { ...group, count: Math.max(senders, 500), until: 'ack' } },
        { ...group, count: size.pick(5_000, 200) },
      );
    };
    const fewUs = await measureWith(5);
    const manyUs = await measureWith(size.pick(5_000, 200));
    return {
      G12b: manyUs / fewUs,
      'observed ack, 5 participants: CPU us': fewUs,
      'observed ack, 5,000 participants: CPU us': manyUs,
    };
  },
};

/** Messages in each store of {@link sessions}, so that these differ by their sessions only. */
const MESSAGES_OVER_SESSIONS = 200_000;

/** G12c: whether a message costs more when there are many sessions. */
export const sessions: Scenario = {
  name: 'many sessions',
  figures: ['G12c'],
  async measure(size) {
    const measureOver = (count: number) =>
      measureAcks(
        {
          sent: { kind: 'group', sessions: count, count: Math.max(count, 500), until: 'ack' },
          messages: size.pick(MESSAGES_OVER_SESSIONS, 1_000),
        },
        { kind: 'mention', sessions: count, count: size.pick(40_000, 200) },
      );
    const fewUs = await measureOver(size.pick(1_000, 100));
    const someUs = await measureOver(size.pick(50_000, 500));
    const manyUs = await measureOver(size.pick(200_000, 1_000));
    return {
      G12c: manyUs / fewUs,
      'ack over 1,000 sessions: CPU us': fewUs,
      'ack over 50,000 sessions: CPU us': someUs,
      'ack over 200,000 sessions: CPU us': manyUs,
    };
  },
};

/** Returns the CPU of an acknowledgement on a filled store, in microseconds; ids and sessions come in no order. */
async function measureAcks(
  filling: Filling,
  load: Pick<FloodOptions, 'count' | 'sessions' | 'kind' | 'senders' | 'isShared'>,
): Promise<number> {
  using folder = new TemporaryFolder();
  const database = await fillStore(filling);
  await using gateway = await startGateway({ folder, database, env: { OPENCLAW_AGENT_CONCURRENCY: '1' } });
  using process = new LoadProcess();
  await process.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: CONNECTIONS });
  await process.call('say', { sender: 'person-waiting', content: '/wait 120000' });
  const flood = (count: number) =>
    process.call('flood', { ...load, count, perConnection: PER_CONNECTION, until: 'ack', isRandom: true });
  await flood(load.count / 2);
  return (await gateway.cpuDuring(() => flood(load.count))) / load.count;
}

interface Start {
  readonly cpuUs: number;
  readonly ms: number;
}

/** Measures starts until ready, with a copy of a database or a new one. */
async function measureStart(database: string | undefined, size: Size): Promise<Start> {
  const all: Start[] = [];
  for (let i = 0; i < size.pick(STARTS, 1); i++) {
    using folder = new TemporaryFolder();
    await using gateway = await startGateway({ folder, ...(database !== undefined && { database }) });
    all.push({ cpuUs: gateway.usage().cpuUs, ms: gateway.readyMs });
  }
  return { cpuUs: median(all.map(({ cpuUs }) => cpuUs)), ms: median(all.map(({ ms }) => ms)) };
}
