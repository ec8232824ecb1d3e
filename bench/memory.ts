/**
 * `npm run bench:memory -- attackers|hour|day [--seconds N] [--only ATTACK] [--preload FILE]`: measures the resident memory of a gateway. Ends by itself, stays on
 * loopback.
 *
 * - `attackers`: with the default limits, under 20 attackers at once (`--only`: all of one kind), beside one well-behaved client; then alone again.
 *   Exits with 1 if the memory grew by more than {@link MAX_GROWTH_MIB}, or did not come back.
 * - `hour`: a mixed load of one hour at 20 messages a second, sent as fast as it is answered, while the work of each minute
 *   (sweeps) is done twice a second.
 * - `day`: the same of a day, with all traces exported, and with metrics that are read twice a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LoadProcess } from './load-process.ts';
import { MemoryWatch } from './memory/memory-watch.ts';
import type { ServerProcess } from './server-process.ts';
import { format } from './report/table.ts';
import { startGateway, startPeer, TemporaryFolder, TOKEN } from './servers.ts';
import { quantile } from './statistics.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const ATTACKERS = 20;
const ATTACK_SECONDS = 180;
/** Maximum time after the attack until the gateway has done what it had accepted, in seconds. */
const BACKLOG_SECONDS = 240;
/** Time after that in which memory comes back, in seconds. */
const RECOVERY_SECONDS = 30;
/** Share of a core below which the gateway has nothing left to do. */
const IDLE_SHARE = 0.1;
/** Maximum growth under attack, in MiB. */
const MAX_GROWTH_MIB = 128;
/** Maximum growth that remains after the attack, in MiB: young generation and caches that the load has filled. */
const MAX_REMAINDER_MIB = 64;

/** A load of 20 messages a second, in portions. */
interface MixedLoad {
  /** Messages of a portion. */
  readonly portion: number;
  readonly portions: number;
  /** The time of a portion, for people. */
  readonly unit: string;
  readonly minutes: number;
}

const HOUR: MixedLoad = { portion: 6_000, portions: 12, unit: 'minutes', minutes: 5 };
const DAY: MixedLoad = { portion: 72_000, portions: 24, unit: 'hours', minutes: 1 };

/** A token that reads metrics and does nothing else. */
const METRICS_TOKEN = `${TOKEN}-metrics`;
const SCRAPE_INTERVAL_MS = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: String(ATTACK_SECONDS) },
    only: { type: 'string' },
    preload: { type: 'string' },
  },
});
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

function print(name: string, value: number, unit = 'MiB'): void {
  process.stdout.write(`${format(value, unit).padStart(12)}  ${name}\n`);
}

/** Sends a message a second. Returns the durations of the acknowledgements, in milliseconds. */
async function behave(load: LoadProcess, prefix: string, seconds: number): Promise<number[]> {
  const until = performance.now() + seconds * 1_000;
  const durations: number[] = [];
  for (let n = 0; performance.now() < until; n++) {
    durations.push(...(await load.call('lone', { count: 1, prefix: `${prefix}-${n}` })));
    await sleep(1_000);
  }
  return durations;
}

/** Waits until a server has done what it had accepted. Returns the seconds that it took. */
async function finishBacklog(server: ServerProcess): Promise<number> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  for (let share = 1; share > IDLE_SHARE && seconds() < BACKLOG_SECONDS;) {
    share = (await server.cpuDuring(() => sleep(2_000))) / 2e6;
  }
  return seconds();
}

async function underAttack(seconds: number): Promise<boolean> {
  const tokens = Array.from({ length: ATTACKERS }, (_, n) => `${TOKEN}-attacker-${n}`);
  const auth = [TOKEN, ...tokens].map((token, n) => ({ token, principal: `client-${n}`, role: 'channel' }));
  using folder = new TemporaryFolder();
  const env = { OPENCLAW_AUTH_TOKENS: JSON.stringify(auth), OPENCLAW_LOG_LEVEL: 'error' };
  const { only = '', preload } = values;
  await using gateway = await startGateway({
    folder,
    env,
    hasDefaultLimits: true,
    ...(preload !== undefined && { preload }),
  });
  using load = new LoadProcess();
  await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 1 });
  await load.call('lone', { count: 100, prefix: 'warm' });
  await behave(load, 'idle', 5);
  using memory = new MemoryWatch(gateway);
  const idleMib = memory.mib;
  const attackers = spawn(process.execPath, [path('./memory/attackers.ts'), String(gateway.port), only, ...tokens], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const endWithUs = () => attackers.kill('SIGKILL');
  process.once('exit', endWithUs);
  const attacked = await behave(load, 'attacked', seconds);
  if (attackers.exitCode !== null) throw new Error('the attackers ended before the attack was over');
  const { peakMib } = memory;
  attackers.kill('SIGKILL');
  await once(attackers, 'exit');
  const backlogSeconds = await finishBacklog(gateway);
  const recovered = await behave(load, 'recovered', RECOVERY_SECONDS);
  const afterMib = memory.mib;
  print('memory, idle', idleMib);
  print(`memory, the most under ${ATTACKERS} attackers`, peakMib);
  print('memory, the most, with what it had accepted of them', memory.peakMib);
  print(`memory, ${RECOVERY_SECONDS} seconds after that`, afterMib);
  print('time until it had done what it had accepted', backlogSeconds, 's');
  print('ack of a well-behaved client under attack, p50', quantile(attacked, 0.5), 'ms');
  print('ack of a well-behaved client under attack, p99', quantile(attacked, 0.99), 'ms');
  print('ack of a well-behaved client after it, p50', quantile(recovered, 0.5), 'ms');
  return peakMib - idleMib <= MAX_GROWTH_MIB && afterMib - idleMib <= MAX_REMAINDER_MIB;
}

/** @param env of the gateway @param beside what is done meanwhile; returns what ends it */
async function underMixedLoad(
  { portion: messages, portions, unit, minutes }: MixedLoad,
  env: Readonly<Record<string, string>> = {},
  beside: (gateway: ServerProcess) => Disposable = () => ({ [Symbol.dispose]() {} }),
): Promise<void> {
  using folder = new TemporaryFolder();
  await using gateway = await startGateway({ folder, env, preload: path('./servers/frequent-sweeps.ts') });
  using memory = new MemoryWatch(gateway);
  using _ = beside(gateway);
  print('memory when ready', memory.mib);
  for (let portion = 1; portion <= portions; portion++) {
    using load = new LoadProcess();
    const first = portion * 100;
    await load.call('connect', { port: gateway.port, dialect: 'gateway', token: TOKEN, count: 25, first });
    const shape = { perConnection: 10, sessions: 500 * portion } as const;
    await load.call('flood', { ...shape, count: messages / 2, until: 'end', isRandom: true });
    await load.call('flood', { ...shape, count: messages / 2, until: 'ack', kind: 'group', senders: 20 });
    const sessionId = await load.call('say', { sender: 'person-watched', content: '/reset' });
    await load.call('watch', { sessionId });
    await load.call('burst', { sender: 'person-watched', content: '/blocks 500', blocks: 500 * 25 });
    await sleep(1_000);
    print(`memory after ${portion * minutes} ${unit}, ${portion * messages} messages`, memory.mib);
  }
  print('memory, the most', memory.peakMib);
}

/** Reads the metrics of a gateway again and again. */
function scrape({ port }: ServerProcess): Disposable {
  // A connection of its own for each: one that is kept may be closed by the gateway while a request is on its way.
  const headers = { authorization: `Bearer ${METRICS_TOKEN}`, connection: 'close' };
  const read = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
    if (response.status !== 200) throw new Error(`/metrics is HTTP ${response.status}`);
    await response.text();
  };
  let isReading = false;
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    void read().finally(() => (isReading = false));
  }, SCRAPE_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function underLoadOfADay(): Promise<void> {
  await using collector = await startPeer('collector');
  const tokens = [
    { token: TOKEN, principal: 'bench', role: 'channel' },
    { token: METRICS_TOKEN, principal: 'prometheus', role: 'operator', scopes: ['metrics:read'] },
  ];
  const env = {
    OPENCLAW_AUTH_TOKENS: JSON.stringify(tokens),
    OPENCLAW_TELEMETRY_TRACES_ENDPOINT: `http://127.0.0.1:${collector.port}/v1/traces`,
  };
  await underMixedLoad(DAY, env, scrape);
}

const [scenario] = positionals;
if (scenario === 'attackers') process.exitCode = (await underAttack(Number(values.seconds))) ? 0 : 1;
else if (scenario === 'hour') await underMixedLoad(HOUR);
else if (scenario === 'day') await underLoadOfADay();
else throw new Error('usage: npm run bench:memory -- attackers|hour|day [--seconds N]');
process.exit();
