/**
 * `npm run bench:lists`: measures the lists of the administration with 200,000 sessions of ten messages each. Ends by itself,
 * stays on loopback. `-- SESSIONS` for another number, which 25 divides.
 *
 * - Requests for first pages per second of the gateway's CPU, eight at a time.
 * - How long one first page takes, alone: the time of the store is less.
 * - The longest time for which the event loop is blocked meanwhile, and as a comparison while nothing is asked: by the clock, and
 *   by its CPU, which other programs of the machine do not lengthen.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fillStore } from './filled-stores.ts';
import { startGateway, TemporaryFolder, TOKEN } from './servers.ts';
import { median } from './statistics.ts';

const OPERATOR = 'benchmark-operator-on-loopback-only';
const MESSAGES_PER_SESSION = 10;
const AT_A_TIME = 8;
const ALONE = 15;
const TOGETHER = 200;
const US_PER_S = 1e6;

const LISTS = [
  'sessions?limit=50',
  'sessions?limit=200',
  'sessions?sort=last_active',
  'sessions?q=person-1',
  'sessions?q=zebedee',
  'sessions?channel=bench',
  'sessions?mode=group',
  'sessions?participant=zebedee',
  'people?limit=50',
  'people?q=zebedee',
  'presence',
  'queue',
  'turns',
  'dead-letters',
  'approvals',
  'approvals?state=expired',
  'connections',
  'tools',
  'audit',
  'config/history',
  'tokens',
  'cron/jobs',
  'nodes',
  'logs',
  'status',
];

const sessions = Number(process.argv[2] ?? 200_000);
process.stdout.write(`Filling a store with ${sessions} sessions and ${sessions * MESSAGES_PER_SESSION} messages ...\n`);
const database = await fillStore({
  sent: { count: sessions, sessions, until: 'end' },
  messages: sessions * MESSAGES_PER_SESSION,
});
using folder = new TemporaryFolder();
await using gateway = await startGateway({
  folder,
  database,
  env: {
    OPENCLAW_AUTH_TOKENS: JSON.stringify([
      { token: TOKEN, principal: 'bench', role: 'channel' },
      { token: OPERATOR, principal: 'operator', role: 'operator', tenant: '*' },
    ]),
    OPENCLAW_MODULES: JSON.stringify([
      fileURLToPath(new URL('../test/support/loop-watch.module.mjs', import.meta.url)),
    ]),
  },
});

async function get(path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${gateway.port}/${path}`, {
    headers: { authorization: `Bearer ${OPERATOR}` },
  });
  if (!response.ok) throw new Error(`${path} is HTTP ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Returns the longest blocks of the event loop since the last call, by the clock and by its CPU. */
async function readBlocks(): Promise<string> {
  const { max_ms: ms, max_cpu_ms: cpuMs } = (await get('loop')) as { max_ms: number; max_cpu_ms: number };
  return `${`${ms.toFixed(1)} ms`.padStart(14)} ${`${cpuMs.toFixed(1)} ms`.padStart(9)}`;
}

async function measureAlone(path: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < ALONE; n++) {
    const startedAt = performance.now();
    await get(`admin/v1/${path}`);
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function measureTogether(path: string): Promise<number> {
  let left = TOGETHER;
  const ask = async () => {
    while (left-- > 0) await get(`admin/v1/${path}`);
  };
  return gateway.cpuDuring(() => Promise.all(Array.from({ length: AT_A_TIME }, ask)));
}

const first = (await get('admin/v1/sessions?limit=1')) as { items: { id: string }[] };
const id = first.items[0]?.id ?? '';
const lists = [...LISTS, `sessions/${id}/messages`, `sessions/${id}/frames`];
for (const path of lists) await measureAlone(path);
await readBlocks();
await sleep(3_000);
process.stdout.write(`idle for 3 s: longest block ${await readBlocks()}\n`);
process.stdout.write('requests/CPU-s  alone: median  longest  longest block    of CPU   list\n');
for (const path of lists) {
  await readBlocks();
  const times = await measureAlone(path);
  const perCpuSecond = (TOGETHER * US_PER_S) / (await measureTogether(path));
  const cells = [
    perCpuSecond.toFixed(0).padStart(14),
    `${median(times).toFixed(1)} ms`.padStart(14),
    `${Math.max(...times).toFixed(1)} ms`.padStart(8),
    await readBlocks(),
  ];
  process.stdout.write(`${cells.join(' ')}   ${path.replace(id, 'ID')}\n`);
}
