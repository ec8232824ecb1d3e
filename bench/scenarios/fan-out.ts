import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN } from '../servers.ts';
import type { Scenario, Size } from './scenario.ts';

const WATCHERS = 200;
const SENDER = 'person-watched';

/** G5: the cost of a frame for each of many readers of one session, including its turn and commits. */
export const fanOut: Scenario = {
  name: 'fan-out',
  figures: ['G5'],
  async measure(size) {
    const naiveUs = await measureNaive(size);
    const gatewayUs = await measureGateway(size);
    return {
      G5: gatewayUs / naiveUs,
      'fan-out, stringified for each: CPU us per frame': naiveUs,
      'fan-out, gateway: CPU us per frame': gatewayUs,
    };
  },
};

async function measureGateway(size: Size): Promise<number> {
  using folder = new TemporaryFolder();
  await using gateway = await startGateway({ folder });
  using load = new LoadProcess();
  await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: WATCHERS });
  const sessionId = await load.call('say', { sender: SENDER, content: '/reset' });
  await load.call('watch', { sessionId });
  return await measureBursts(gateway, load, size);
}

async function measureNaive(size: Size): Promise<number> {
  await using plain = await startPeer('plain-ws');
  using load = new LoadProcess();
  await load.call('connect', { port: plain.port, dialect: 'plain', token: TOKEN, count: WATCHERS });
  return await measureBursts(plain, load, size);
}

async function measureBursts(server: ServerProcess, load: LoadProcess, size: Size): Promise<number> {
  const blocks = size.pick(500, 50);
  const bursts = 3;
  const burst = () => load.call('burst', { sender: SENDER, content: `/blocks ${blocks}`, blocks: blocks * WATCHERS });
  await burst();
  const cpuUs = await server.cpuDuring(async () => {
    for (let i = 0; i < bursts; i++) await burst();
  });
  return cpuUs / (bursts * blocks * WATCHERS);
}
