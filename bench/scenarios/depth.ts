import { LoadProcess } from '../load-process.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import type { Scenario } from './scenario.ts';

const CONNECTIONS = 32;

/** G9: whether storing a message costs more when many already wait in its session. */
export const depth: Scenario = {
  name: 'depth of a queue',
  figures: ['G9'],
  async measure(size) {
    using folder = new TemporaryFolder();
    await using gateway = await startGateway({ folder, env: { OPENCLAW_AGENT_CONCURRENCY: '1' } });
    using load = new LoadProcess();
    await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: CONNECTIONS });
    await load.call('say', { sender: 'person-waiting', content: '/wait 60000' });
    const flood = (count: number, isShared: boolean) =>
      load.call('flood', { count, perConnection: 8, sessions: isShared ? 1 : CONNECTIONS, until: 'ack', isShared });
    const measure = async () => {
      const count = size.pick(4_000, 500);
      return (await gateway.cpuDuring(() => flood(count, true))) / count;
    };
    // Other sessions first, until the code is compiled: otherwise the shallow queue would pay for that.
    await flood(size.pick(40_000, 2_000), false);
    await flood(size.pick(1_000, 500), true);
    const shallowUs = await measure();
    await flood(size.pick(15_000, 1_000), true);
    const deepUs = await measure();
    return { G9: deepUs / shallowUs, 'enqueue at depth 20,000: CPU us': deepUs };
  },
};
