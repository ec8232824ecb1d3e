import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LoadProcess } from '../load-process.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import { median } from '../statistics.ts';
import { hostileFrames, type HostileFrame } from './hostile-frames.ts';
import type { Scenario } from './scenario.ts';

const PROBE = fileURLToPath(new URL('../servers/block-probe.ts', import.meta.url));

/** G10: how long one client can block all others with a single valid frame. */
export const block: Scenario = {
  name: 'worst frames',
  figures: ['G10'],
  async measure(size) {
    using folder = new TemporaryFolder();
    await using gateway = await startGateway({ folder, preload: PROBE, ipc: true });
    using load = new LoadProcess();
    await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1 });
    const parses: number[] = [];
    const measureFrame = async ({ name, build, until }: HostileFrame, n: number) => {
      parses.push(await ask(gateway, 'parse'));
      await ask(gateway, 'reset');
      const id = `hostile ${name} ${n}`;
      await load.call('exchange', { frame: build(id), id, until });
      return ask(gateway, 'longest');
    };
    // All of them first, so that code is compiled and the heap has grown. Then the minimum of several, because the
    // machine's own pauses only add.
    for (const n of [0, 1]) for (const frame of hostileFrames) await measureFrame(frame, n);
    const blocksMs: [name: string, ms: number][] = [];
    for (const frame of hostileFrames) {
      const repeats = await repeat(size.pick(7, 1), (n) => measureFrame(frame, n + 2));
      blocksMs.push([frame.name, Math.min(...repeats)]);
    }
    const parseMs = median(parses);
    const ratios = blocksMs.map(([name, ms]) => [`block / parse: ${name}`, ms / parseMs] as const);
    return {
      G10: Math.max(...ratios.map(([, ratio]) => ratio)),
      'parsing 64 KiB of objects: ms': parseMs,
      ...Object.fromEntries(ratios),
    };
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
