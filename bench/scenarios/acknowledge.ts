import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN, type PeerName } from '../servers.ts';
import type { Dialect } from '../load/load-socket.ts';
import type { MessageKind } from '../load/messages.ts';
import type { Scenario, Size } from './scenario.ts';

const CONNECTIONS = 32;
const SESSIONS = 8 * CONNECTIONS;

/** CPU of one acknowledgement in microseconds, with 256 and 3,200 messages in flight. */
interface AckCosts {
  readonly at256: number;
  readonly at3200: number;
}

/**
 * G1 and G2: the cost of an acknowledgement. The agent is kept busy by one long turn, so that only acknowledging is
 * measured: every message is stored as queued, or observed, and none gets a reply. The baseline runs right beside it.
 */
export const acknowledge: Scenario = {
  name: 'acknowledgements',
  figures: ['G1', 'G1o', 'G2', 'G2o'],
  async measure(size) {
    const plain = await measurePeer('plain-ws', 'plain', size);
    const queued = await measureGateway('main', size);
    const observed = await measureGateway('group', size);
    const nest = await measurePeer('nest-stock', 'plain', size);
    const socketIo = await measurePeer('socket-io', 'socket-io', size);
    return {
      G1: queued.at256 / plain.at256,
      G1o: observed.at256 / plain.at256,
      G2: queued.at3200 / plain.at3200,
      G2o: observed.at3200 / plain.at3200,
      'plain ws: CPU us per ack, 256 in flight': plain.at256,
      'plain ws: CPU us per ack, 3,200 in flight': plain.at3200,
      'gateway: CPU us per ack, 256 in flight': queued.at256,
      'gateway: CPU us per ack, 3,200 in flight': queued.at3200,
      'gateway: CPU us per observed ack, 256 in flight': observed.at256,
      'gateway: CPU us per observed ack, 3,200 in flight': observed.at3200,
      'Nest stock adapter / plain ws, 256 in flight': nest.at256 / plain.at256,
      'Nest stock adapter / plain ws, 3,200 in flight': nest.at3200 / plain.at3200,
      'Socket.IO / plain ws, 256 in flight': socketIo.at256 / plain.at256,
      'Socket.IO / plain ws, 3,200 in flight': socketIo.at3200 / plain.at3200,
    };
  },
};

async function measureGateway(kind: MessageKind, size: Size): Promise<AckCosts> {
  using folder = new TemporaryFolder();
  await using server = await startGateway({ folder, env: { OPENCLAW_AGENT_CONCURRENCY: '1' } });
  return await measureServer(server, 'gateway', kind, size);
}

async function measurePeer(name: PeerName, dialect: Dialect, size: Size): Promise<AckCosts> {
  await using server = await startPeer(name);
  return await measureServer(server, dialect, 'main', size);
}

async function measureServer(
  server: ServerProcess,
  dialect: Dialect,
  kind: MessageKind,
  size: Size,
): Promise<AckCosts> {
  using load = new LoadProcess();
  await load.call('connect', { port: server.port, dialect, token: TOKEN, count: CONNECTIONS });
  if (dialect === 'gateway') await load.call('say', { sender: 'person-waiting', content: '/wait 60000' });
  const flood = (count: number, inFlight: number) =>
    load.call('flood', { count, perConnection: inFlight / CONNECTIONS, sessions: SESSIONS, until: 'ack', kind });
  await flood(size.pick(30_000, 500), 256);
  const count = size.pick(40_000, 500);
  const at256 = (await server.cpuDuring(() => flood(count, 256))) / count;
  const at3200 = (await server.cpuDuring(() => flood(count, 3_200))) / count;
  return { at256, at3200 };
}
