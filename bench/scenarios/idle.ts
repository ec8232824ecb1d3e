import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadProcess } from '../load-process.ts';
import type { Dialect } from '../load/load-socket.ts';
import type { ServerProcess } from '../server-process.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN } from '../servers.ts';
import type { Scenario, Size } from './scenario.ts';

const CONNECTIONS = 5_000;
/** Number of connections before the counted ones, so that code is compiled and the heap has grown. */
const WARM_UP = 1_000;
/** File descriptors that a process needs besides its connections. */
const RESERVE = 200;
/** Time for memory to settle, in milliseconds: memory of the handshakes is released late, if ever. */
const SETTLE_MS = 5_000;

/** G6: the memory of an idle connection. */
export const idle: Scenario = {
  name: 'idle connections',
  figures: ['G6'],
  async measure(size) {
    const plain = await measurePlain(size);
    const gateway = await measureGateway(size);
    return {
      G6: gateway / plain,
      'plain ws: KiB per idle connection': plain,
      'gateway: KiB per idle connection': gateway,
    };
  },
};

async function measureGateway(size: Size): Promise<number> {
  using folder = new TemporaryFolder();
  await using gateway = await startGateway({ folder });
  return await measureServer(gateway, 'gateway', size);
}

async function measurePlain(size: Size): Promise<number> {
  await using plain = await startPeer('plain-ws');
  return await measureServer(plain, 'plain', size);
}

async function measureServer(server: ServerProcess, dialect: Dialect, size: Size): Promise<number> {
  using load = new LoadProcess();
  const count = Math.min(size.pick(CONNECTIONS, 500), readDescriptorLimit() - RESERVE - WARM_UP);
  const settleMs = size.pick(SETTLE_MS, 500);
  const connect = (more: number) => load.call('connect', { port: server.port, dialect, token: TOKEN, count: more });
  await connect(WARM_UP);
  await sleep(settleMs);
  const before = server.usage().rssBytes;
  await connect(count);
  await sleep(settleMs);
  return (server.usage().rssBytes - before) / count / 1_024;
}

/** Returns the maximum number of open files per process, which children inherit. */
function readDescriptorLimit(): number {
  try {
    return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? CONNECTIONS);
  } catch {
    return CONNECTIONS;
  }
}
