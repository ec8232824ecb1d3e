import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN, type PeerName } from '../servers.ts';
import type { Dialect } from '../load/load-socket.ts';
import type { Scenario, Size } from './scenario.ts';

const CONNECTIONS = 32;
const SENDERS_PER_CONNECTION = 8;

/** CPU of one acknowledgement in microseconds, with 256 and 3,200 messages in flight. */
interface AckCosts {
  readonly at256: number;
  readonly at3200: number;
}

/**
 * G1 and G2: the cost of an acknowledgement. The agent is kept busy by one long turn, so that only acknowledging is
 * measured: every message is stored as queued, and none gets a reply. The baseline runs right beside it.
 */
export const acknowledge: Scenario = {
  name: 'acknowledgements',
  figures: ['G1', 'G2'],
  async measure(size) {
    const plain = await measurePeer('plain-ws', 'plain', size);
    const gateway = await measureGateway(size);
    const nest = await measurePeer('nest-stock', 'plain', size);
    return {
      G1: gateway.at256 / plain.at256,
      G2: gateway.at3200 / plain.at3200,
      'plain ws: CPU us per ack, 256 in flight': plain.at256,
      'plain ws: CPU us per ack, 3,200 in flight': plain.at3200,
      'gateway: CPU us per ack, 256 in flight': gateway.at256,
      'gateway: CPU us per ack, 3,200 in flight': gateway.at3200,
      'Nest stock adapter / plain ws, 256 in flight': nest.at256 / plain.at256,
      'Nest stock adapter / plain ws, 3,200 in flight': nest.at3200 / plain.at3200,
    };
  },
};

async function measureGateway(size: Size): Promise<AckCosts> {
  using folder = new TemporaryFolder();
  await using server = await startGateway({ folder, env: { OPENCLAW_AGENT_CONCURRENCY: '1' } });
  return await measureServer(server, 'gateway', size, (load) =>
    load.call('say', { sender: 'person-waiting', content: '/wait 60000' }),
  );
}

async function measurePeer(name: PeerName, dialect: Dialect, size: Size): Promise<AckCosts> {
  await using server = await startPeer(name);
  return await measureServer(server, dialect, size);
}

async function measureServer(
  server: ServerProcess,
  dialect: Dialect,
  size: Size,
  prepare?: (load: LoadProcess) => Promise<unknown>,
): Promise<AckCosts> {
  using load = new LoadProcess();
  await load.call('connect', { port: server.port, dialect, token: TOKEN, count: CONNECTIONS });
  await prepare?.(load);
  const flood = (count: number, inFlight: number) =>
    load.call('flood', {
      count,
      perConnection: inFlight / CONNECTIONS,
      sendersPerConnection: SENDERS_PER_CONNECTION,
      until: 'ack',
    });
  await flood(size.pick(30_000, 3_000), 256);
  const count = size.pick(40_000, 4_000);
  const at256 = (await server.cpuDuring(() => flood(count, 256))) / count;
  const at3200 = (await server.cpuDuring(() => flood(count, 3_200))) / count;
  return { at256, at3200 };
}
