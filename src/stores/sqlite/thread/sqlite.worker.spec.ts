import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Failpoint } from '../../../core/failpoints/failpoint.js';
import { SilentLogs, type Logs } from '../../../core/telemetry/logs.js';
import { SystemClock } from '../../../core/time/clock.js';
import { aMessage, GENEROUS_LIMITS, KeptLogs, ManualClock } from '../../../testing/index.js';
import { describeStoreContract, ReopenedStore, type StorePorts } from '../../../testing/store.contract.js';
import { StoreBench } from '../../../testing/store/bench.js';
import { SqliteStore } from '../index.js';

/** The compiled code, as in production: a worker thread cannot load TypeScript. */
let bundle: string;
let compiled: typeof SqliteStore;
let folder: string;
let url: string;
/** The processes of this test, so that none outlives it. */
const children: ChildProcess[] = [];

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), 'sqlite-bundle-'));
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: bundle,
      rolldownOptions: {
        input: {
          index: join(import.meta.dirname, '../index.ts'),
          'sqlite.check': join(import.meta.dirname, '../file/sqlite.check.ts'),
          'sqlite.worker': join(import.meta.dirname, 'sqlite.worker.ts'),
        },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  });
  const entry = pathToFileURL(join(bundle, 'index.js')).href;
  compiled = ((await import(/* @vite-ignore */ entry)) as { SqliteStore: typeof SqliteStore }).SqliteStore;
  await (await openCompiled(`sqlite:${join(bundle, 'empty.db')}`)).close();
});
afterAll(() => rm(bundle, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sqlite-'));
  url = `sqlite:${join(folder, 'gateway.db')}`;
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true });
});

async function openCompiled(at = url, clock = new ManualClock(), logs: Logs = new SilentLogs()): Promise<StorePorts> {
  const store = new compiled(at, clock, logs);
  await store.open();
  return store;
}

/** A process that answers messages until it is killed, and prints a line for each acknowledgement. */
const PROCESS = `
  const { SqliteStore } = await import(process.argv[1]);
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false };
  const store = new SqliteStore(process.argv[2], { now: Date.now, elapsed: () => performance.now() }, { for: () => silent });
  await store.open();
  console.log('open');
  const limits = { perSession: 1e6, perClient: 1e6, total: 1e6 };
  const client = { tenant: 'default', principal: 'tester', clientId: 'client-1' };
  const session = { id: 's_alice', tenant: 'default', mode: 'main', channel: 'test', agent: 'main', keyParts: ['alice'] };
  const payload = { channel: 'test', sender: 'alice', content: 'hello' };
  const accept = (messageId) => store.accept(
    { client, messageId, session, payload, isAddressed: true, priority: 1, receivedAt: Date.now() }, limits);
  for (let n = 1; n <= 50; n++) {
    await Promise.all([accept('a' + n), accept('b' + n)]);
    console.log('accepted a' + n + ' b' + n);
    const { claims: [{ lease, message: { messageId } }] } = await store.claim({ replicaId: 'child', limit: 1, leaseMs: 1000 });
    const frame = (type) => ({ type, messageRef: lease.messageRef, messageId, timestamp: Date.now(), payload: '{}' });
    await store.append(lease, { frames: [frame('stream_block')], journal: [{ step: 0, kind: 'answer', body: '{}' }] });
    const reply = JSON.stringify({ blocks: [], reason: 'stop', endedAt: Date.now() });
    await store.finish(lease, { frames: [frame('stream_end')], journal: [], status: 'done', reply });
    console.log('done ' + messageId);
  }
  setInterval(() => {}, 1000);
`;

function start(failpoint?: string): { child: ChildProcess; lines: AsyncIterableIterator<string> } {
  const entry = pathToFileURL(join(bundle, 'index.js')).href;
  const env = { ...process.env, OPENCLAW_FAILPOINT: failpoint ?? '' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROCESS, entry, url], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** The ids after `word` in the output of a process. */
const idsOf = (said: readonly string[], word: string) =>
  said.filter((line) => line.startsWith(`${word} `)).flatMap((line) => line.split(' ').slice(1));

/** Opens the database of a killed process, runs all messages to their ends, and checks everything it printed. */
async function audit(said: readonly string[]): Promise<void> {
  const store = new SqliteStore(url, new SystemClock(), new SilentLogs());
  await store.open();
  const nothing = async () => {};
  const bench = new StoreBench({
    store,
    replicaId: 'auditor',
    now: Date.now,
    passTime: nothing,
    crash: nothing,
    hasCopies: false,
    dispose: nothing,
  });
  const { messages } = await store.readHistory('s_alice', 200);
  const status = new Map(messages.map((message) => [message.messageId, message.status]));
  for (const id of idsOf(said, 'accepted')) expect(status.has(id)).toBe(true);
  for (const id of idsOf(said, 'done')) expect(status.get(id)).toBe('done');
  await bench.drain();
  const log = await bench.log();
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const ends = log.filter(({ type }) => type === 'stream_end').map(({ messageRef }) => messageRef);
  expect(ends.sort()).toEqual(messages.map(({ messageRef }) => messageRef).sort());
  await store.close();
}

// Otherwise `sqlite.store.spec.ts` has it, in memory: the disk takes most of the time.
if (process.env['LONG'])
  describeStoreContract('SqliteStore keeps the store contract in its worker thread', async () => {
    // Migrating each of these stores would take a third of their time.
    await copyFile(join(bundle, 'empty.db'), join(folder, 'gateway.db'));
    return ReopenedStore.start(
      (clock) => openCompiled(url, clock),
      async () => {},
      undefined,
      {
        keep: () => copyFile(join(folder, 'gateway.db'), join(folder, 'copy.db')),
        putBack: () => copyFile(join(folder, 'copy.db'), join(folder, 'gateway.db')),
      },
    );
  });

describe('the thread of the store', () => {
  it('rejects all waiting calls when it dies, and stays unavailable', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const logs = new KeptLogs();
    const store = await openCompiled(url, new ManualClock(), logs);
    const [worker] = await started;
    const dying = worker.terminate();
    const answers = await Promise.allSettled([store.accept(aMessage(), GENEROUS_LIMITS), store.countQueue(0)]);
    await dying;
    expect(store.isDead).toBe(true);
    const unavailable = { status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } };
    expect(answers).toMatchObject([unavailable, unavailable]);
    await expect(store.check()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(logs.lines).toContain("error the store's thread has died; nothing can be stored until a restart");
    await store.close();
  });

  it('refuses a file as it does in the main thread', async () => {
    const first = await openCompiled();
    await expect(openCompiled()).rejects.toThrow(`in use by the process ${process.pid}`);
    await first.close();
    await (await openCompiled()).close();
  });
});

describe('a process that is killed', () => {
  it('leaves no lock behind, and is named in errors while it lives', async () => {
    const { child, lines } = start();
    const exit = once(child, 'exit');
    expect(await lines.next()).toMatchObject({ value: 'open' });
    await expect(openCompiled()).rejects.toThrow(`in use by the process ${child.pid}`);
    child.kill('SIGKILL');
    await exit;
    await (await openCompiled()).close();
  });

  it('leaves a file that the next one checks in a process of its own, while it serves', async () => {
    const { child, lines } = start();
    const exit = once(child, 'exit');
    for await (const line of lines) if (line.startsWith('accepted')) break;
    child.kill('SIGKILL');
    await exit;
    const logs = new KeptLogs();
    const store = await openCompiled(url, new ManualClock(), logs);
    await expect
      .poll(() => logs.lines)
      .toContain('info the gateway was not stopped cleanly; the database is undamaged');
    await store.close();
  });

  const failpoints: readonly `${Failpoint}:${number}`[] = [
    'migrate.mid:1',
    'enqueue.before_commit:3',
    'enqueue.after_commit:3',
    'claim.after:2',
    'block.mid_batch:2',
    'finish.before_commit:2',
    'finish.after_commit:2',
  ];
  it.each(failpoints)('loses no acknowledged message, and ends each once, when it dies at %s', async (failpoint) => {
    const { child, lines } = start(failpoint);
    const exit = once(child, 'exit');
    const said: string[] = [];
    for await (const line of lines) said.push(line);
    expect(await exit).toEqual([null, 'SIGKILL']);
    await audit(said);
  });
});
