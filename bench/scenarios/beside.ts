import { fileURLToPath } from 'node:url';
import { fillStore, type Filling } from '../filled-stores.ts';
import { LoadProcess } from '../load-process.ts';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import { median, quantile } from '../statistics.ts';
import { storeOf300Thousand } from './growth.ts';
import type { Scenario, Size } from './scenario.ts';

const FREQUENT_SWEEPS = fileURLToPath(new URL('../servers/frequent-sweeps.ts', import.meta.url));

/** Additional details for G4: a lone acknowledgement beside work that reads or deletes much of the store. */
export const beside: Scenario = {
  name: 'beside a reader of the history and a sweep, and backups',
  figures: ['G4'],
  async measure(size) {
    const alone = await measureLone(storeOf300Thousand(size), size);
    const reading = await measureLone(storeOf300Thousand(size), size, { readers: 1 });
    const expired = { ...storeOf300Thousand(size), hasOldFrames: true };
    const sweeping = await measureLone(expired, size, { preload: FREQUENT_SWEEPS });
    const backingUp = await measureLone(storeOf300Thousand(size), size, { makesBackups: true });
    return {
      'lone ack beside a reader of the history / alone, p50': median(reading) / median(alone),
      'lone ack beside a reader of the history: ms, p99': quantile(reading, 0.99),
      'lone ack beside a sweep / alone, p50': median(sweeping) / median(alone),
      'lone ack beside a sweep: ms, p99': quantile(sweeping, 0.99),
      'lone ack beside backups: ms, p99': quantile(backingUp, 0.99),
      'lone ack beside backups / alone, p99': quantile(backingUp, 0.99) / quantile(alone, 0.99),
      'lone ack alone: ms, p99': quantile(alone, 0.99),
    };
  },
};

interface Company {
  readonly readers?: number;
  readonly preload?: string;
  /** One backup after the other. */
  readonly makesBackups?: boolean;
}

const OPERATOR_TOKEN = `${TOKEN}-operator`;
const WITH_OPERATOR = JSON.stringify([
  { token: TOKEN, principal: 'bench', role: 'channel' },
  { token: OPERATOR_TOKEN, principal: 'operator', role: 'operator' },
]);

/** Makes backups until the signal aborts, at least one. */
async function backUp(port: number, signal: AbortSignal): Promise<void> {
  do {
    const response = await fetch(`http://127.0.0.1:${port}/admin/v1/backup`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
    });
    if (response.status !== 200 || !response.body) throw new Error(`a backup is HTTP ${response.status}`);
    for await (const _ of response.body);
  } while (!signal.aborted);
}

/** Measures acknowledgements one after the other, in milliseconds. */
async function measureLone(
  filling: Filling,
  size: Size,
  { readers = 0, preload, makesBackups = false }: Company = {},
): Promise<number[]> {
  using folder = new TemporaryFolder();
  const database = await fillStore(filling);
  const env = { OPENCLAW_AGENT_CONCURRENCY: '1', ...(makesBackups && { OPENCLAW_AUTH_TOKENS: WITH_OPERATOR }) };
  await using gateway = await startGateway({ folder, database, env, ...(preload !== undefined && { preload }) });
  using load = new LoadProcess();
  await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1 });
  const sessionId = await load.call('say', { sender: 'person-000001', content: '/wait 60000' });
  using reader = new LoadProcess();
  await reader.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1, first: 1 });
  const count = size.pick(2_000, 50);
  await load.call('lone', { count: count / 10, prefix: 'warm' });
  const reading = readers > 0 ? reader.call('readHistory', { sessionId }) : undefined;
  const stop = new AbortController();
  const backups = makesBackups ? backUp(gateway.port, stop.signal) : undefined;
  const durations = await load.call('lone', { count, prefix: 'lone' });
  stop.abort();
  await backups;
  reader[Symbol.dispose]();
  await reading?.catch(() => {});
  return durations;
}
