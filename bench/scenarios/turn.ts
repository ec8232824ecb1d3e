import { LoadProcess } from '../load-process.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN } from '../servers.ts';
import type { Scenario, Size } from './scenario.ts';

const CONNECTIONS = 32;
const SESSIONS = 8 * CONNECTIONS;
const IN_FLIGHT = 256;

/** G3: a complete message: acknowledged, answered by the built-in agent in one block, ended; all of it durable. */
export const turn: Scenario = {
  name: 'complete turns',
  figures: ['G3'],
  async measure(size) {
    const plainUs = await measurePlain(size);
    const turnUs = await measureTurns(size);
    return { G3: turnUs / plainUs, 'gateway: CPU us per complete turn': turnUs };
  },
};

/** What differs from a gateway with its defaults. */
interface Variation {
  readonly env?: Readonly<Record<string, string>>;
  readonly isUnrecorded?: boolean;
}

/** Returns the CPU of a complete turn, in microseconds. */
export async function measureTurns(size: Size, { env = {}, isUnrecorded = false }: Variation = {}): Promise<number> {
  using folder = new TemporaryFolder();
  await using gateway = await startGateway({ folder, env });
  using load = new LoadProcess();
  await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: CONNECTIONS });
  await load.call('flood', { ...shape(size.pick(8_000, 1_000), 'end'), isUnrecorded });
  const count = size.pick(15_000, 2_000);
  return (await gateway.cpuDuring(() => load.call('flood', { ...shape(count, 'end'), isUnrecorded }))) / count;
}

async function measurePlain(size: Size): Promise<number> {
  await using plain = await startPeer('plain-ws');
  using load = new LoadProcess();
  await load.call('connect', { port: plain.port, dialect: 'plain', token: TOKEN, count: CONNECTIONS });
  await load.call('flood', shape(size.pick(30_000, 3_000), 'ack'));
  const count = size.pick(40_000, 4_000);
  return (await plain.cpuDuring(() => load.call('flood', shape(count, 'ack')))) / count;
}

function shape(count: number, until: 'ack' | 'end') {
  return { count, perConnection: IN_FLIGHT / CONNECTIONS, sessions: SESSIONS, until };
}
