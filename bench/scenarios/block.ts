import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import { median } from '../statistics.ts';
import { hostileFrames } from './hostile-frames.ts';
import type { Scenario } from './scenario.ts';

const PROBE = fileURLToPath(new URL('../servers/block-probe.ts', import.meta.url));

/** G10: how long one client can keep all others waiting with one frame that is not even wrong. */
export const block: Scenario = {
  name: 'worst frames',
  figures: ['G10'],
  async measure(size) {
    using folder = new TemporaryFolder();
    await using gateway = await startGateway({ folder, preload: PROBE });
    using load = new LoadProcess();
    await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1 });
    const repeats = size.pick(7, 2);
    const parseMs = median(await repeat(repeats * 3, () => ask(gateway, 'parse')));
    const blocks: Record<string, number> = {};
    for (const { name, build, until } of hostileFrames) {
      const ratios = await repeat(repeats, async (n) => {
        await ask(gateway, 'reset');
        await load.call('exchange', { frame: build(`hostile-${name.length}-${name}-${n}`), until });
        return (await ask(gateway, 'longest')) / parseMs;
      });
      // The first is compiled; of the others the machine's own pauses spoil some.
      blocks[`block / parse: ${name}`] = median(ratios.slice(1));
    }
    return { G10: Math.max(...Object.values(blocks)), 'parsing 64 KiB of objects: ms': parseMs, ...blocks };
  },
};

async function repeat(times: number, work: (n: number) => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let n = 0; n < times; n++) values.push(await work(n));
  return values;
}

async function ask(server: ServerProcess, question: 'reset' | 'longest' | 'parse'): Promise<number> {
  const answered = once(server.child, 'message') as Promise<[number]>;
  server.child.send(question);
  return (await answered)[0];
}
