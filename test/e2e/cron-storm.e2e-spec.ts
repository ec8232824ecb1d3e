import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';

const WATCH = fileURLToPath(new URL('../support/loop-watch.module.mjs', import.meta.url));
const isLong = Boolean(process.env['LONG']);
const JOBS = isLong ? 10_000 : 50;
const OF_ONE_PERSON = isLong ? 1_000 : 50;
/** Jobs are added by so many requests at once. */
const AT_ONCE = 25;
/** Time from the beginning until the jobs are due, in milliseconds. */
const LEAD_MS = isLong ? 60_000 : 5_000;
/** Limits of the long run, on a machine that does other work besides; alone it is a few milliseconds. */
const MAX_BLOCKED_MS = 250;
const MAX_ANSWER_MS = 2_000;

let folder: string;
let gateway: GatewayProcess;
afterEach(async () => {
  await gateway.end();
  rmSync(folder, { recursive: true });
});

/** Adds jobs that are due together. @param place returns the sender that the nth job speaks to */
async function storm(jobs: number, place: (n: number) => string, env: Readonly<Record<string, string>>) {
  folder = mkdtempSync(join(tmpdir(), 'storm-'));
  gateway = new GatewayProcess({ folder, module: WATCH, env });
  const port = await gateway.port;
  const url = `http://127.0.0.1:${port}`;
  const due = Date.now() + LEAD_MS;
  const headers = { ...gateway.localHeaders, 'content-type': 'application/json' };
  const add = async (n: number) => {
    const schedule = { every_ms: 86_400_000, anchor: due };
    const target = { channel: 'test', sender: place(n) };
    const body = JSON.stringify({ name: `job ${n}`, schedule, target, message: 'tick', grace_ms: 600_000 });
    const response = await fetch(`${url}/admin/v1/cron/jobs`, { method: 'POST', headers, body });
    expect(response.status).toBe(201);
  };
  for (let n = 0; n < jobs; n += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => add(n + i)));
  expect(Date.now()).toBeLessThan(due);
  return { jobs, url, due, chat: await FrameClient.open(port, '?client_id=person', { headers: gateway.localHeaders }) };
}

/** Writes as a person until `isOver`. Resolves with the times until the answers, in milliseconds. */
async function chatUntil(chat: FrameClient, isOver: () => boolean): Promise<readonly number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const began = performance.now();
    const id = chat.send('message_in', { channel: 'test', sender: 'person', content: 'hello' });
    await chat.next(({ type, payload }) => type === 'stream_end' && payload['id'] === id);
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return times;
}

/** Reads the runs, in the order in which they were opened. */
function readRuns(): readonly { readonly job: string; readonly status: string }[] {
  const database = new DatabaseSync(join(folder, 'data/gateway.db'), { readOnly: true });
  try {
    return database.prepare('SELECT job_id AS job, status FROM cron_runs ORDER BY run').all() as never;
  } finally {
    database.close();
  }
}

async function measure({ jobs, url, due, chat }: Awaited<ReturnType<typeof storm>>): Promise<void> {
  await fetch(`${url}/loop`);
  let isOver = false;
  const answers = chatUntil(chat, () => isOver);
  await vi.waitFor(() => expect(readRuns().filter(({ status }) => status === 'done')).toHaveLength(jobs), {
    timeout: LEAD_MS + 300_000,
    interval: 200,
  });
  const tookMs = Date.now() - due;
  isOver = true;
  const times = (await answers).toSorted((one, other) => one - other);
  const loop = (await (await fetch(`${url}/loop`)).json()) as { max_ms: number; p99_ms: number };
  const figures = {
    ...{ jobs, took_ms: tookMs, chats: times.length, answer_p50_ms: times[Math.floor(times.length / 2)] },
    ...{ answer_max_ms: times.at(-1), blocked_max_ms: loop.max_ms, blocked_p99_ms: loop.p99_ms },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  if (!isLong) return;
  expect(times.at(-1)).toBeLessThan(MAX_ANSWER_MS);
  expect(loop.max_ms).toBeLessThan(MAX_BLOCKED_MS);
}

describe('many jobs that are due at once', { timeout: 600_000 }, () => {
  it(`[J-01] start in order, ${JOBS} of them, while a chat is answered`, async () => {
    await measure(await storm(JOBS, (n) => `p${n}`, {}));
    const jobs = readRuns().map(({ job }) => job);
    expect(jobs).toEqual(jobs.toSorted());
  });

  it('[J-01] of one person wait for the room of the queue, while another chat is answered', async () => {
    await measure(await storm(OF_ONE_PERSON, () => 'busy', { OPENCLAW_QUEUE_MAX_PER_SESSION: '20' }));
  });
});
