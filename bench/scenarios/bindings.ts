import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import type { Scenario } from './scenario.ts';

const CONNECTIONS = 32;
const SESSIONS = 8 * CONNECTIONS;
const IN_FLIGHT = 256;
const MANY = 1_000;
/** Pairs of floods, one to each gateway in turn, so that both share the machine's moods. */
const PAIRS = 5;

/** G13: a complete message as in G3, whose agent is found among 1,000 bindings, and with one binding. */
export const bindings: Scenario = {
  name: 'bindings',
  figures: ['G13'],
  async measure(size) {
    using folderOfOne = new TemporaryFolder();
    using folderOfMany = new TemporaryFolder();
    await using one = await startBound(folderOfOne, 1);
    await using many = await startBound(folderOfMany, MANY);
    using loadOfOne = new LoadProcess();
    using loadOfMany = new LoadProcess();
    const sides = [
      { server: one, load: loadOfOne, cpuUs: 0 },
      { server: many, load: loadOfMany, cpuUs: 0 },
    ];
    for (const { server, load } of sides) {
      await load.call('connect', { port: server.port, dialect: 'gateway', token: TOKEN, count: CONNECTIONS });
      await load.call('flood', shape(size.pick(8_000, 1_000)));
    }
    const count = size.pick(6_000, 1_000);
    for (let pair = 0; pair < PAIRS; pair++)
      for (const side of pair % 2 === 0 ? sides : sides.toReversed())
        side.cpuUs += await side.server.cpuDuring(() => side.load.call('flood', shape(count)));
    const [usOfOne = Number.NaN, usOfMany = Number.NaN] = sides.map(({ cpuUs }) => cpuUs / (PAIRS * count));
    return {
      G13: usOfMany / usOfOne,
      'gateway: CPU us per complete turn, 1 binding': usOfOne,
      'gateway: CPU us per complete turn, 1,000 bindings': usOfMany,
    };
  },
};

/** Half of the bindings lead to a second agent, so that both answer. */
function startBound(folder: TemporaryFolder, count: number): Promise<ServerProcess> {
  const list = Array.from({ length: count }, (_, i) => ({
    agent: i % 2 === 0 ? 'main' : 'ops',
    channel: 'telegram',
    sender: `person-${i}`,
  }));
  return startGateway({
    folder,
    env: { OPENCLAW_AGENTS: '{"ops":{}}', OPENCLAW_BINDINGS: JSON.stringify(list) },
  });
}

function shape(count: number) {
  return { count, perConnection: IN_FLIGHT / CONNECTIONS, sessions: SESSIONS, until: 'end' as const };
}
