import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Failpoint } from '../../src/core/failpoints/failpoint.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { readNumber } from './answers.js';
import { inGroups } from './groups.js';

/** The steps of a firing, and of its message. */
const STEPS: readonly Failpoint[] = [
  'cron.after_row',
  'enqueue.before_commit',
  'enqueue.after_commit',
  'cron.after_accept',
  'cron.after_move',
  'claim.after',
  'finish.after_commit',
];
const isLong = Boolean(process.env['LONG']);
/** The passes of a step at which the process dies: in turn the first and the second one, and with `LONG` four. */
const passesOf = (step: Failpoint) => (isLong ? [1, 2, 3, 5] : [1 + (STEPS.indexOf(step) % 2)]);
/** The number of steps at which gateways on one store die before its runs are verified. */
const STEPS_PER_STORE = isLong ? 1 : 4;
/** Runs of the job after the last start. */
const MORE_RUNS = 2;

interface Run {
  readonly due: number;
  readonly status: string;
  readonly message_ref?: string;
}

let folder: string;
let gateway: GatewayProcess;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cron-'))));
afterEach(async () => {
  await gateway.end();
  rmSync(folder, { recursive: true });
});

function start(env: Readonly<Record<string, string>> = {}): void {
  gateway = new GatewayProcess({ folder, env });
}

async function call(path: string, method = 'GET', body?: object): Promise<unknown> {
  const url = `http://127.0.0.1:${await gateway.port}/admin/v1/cron/jobs${path}`;
  const headers = { ...gateway.localHeaders, 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const readRuns = async (job: string) => ((await call(`/${job}/runs?limit=200`)) as { items: Run[] }).items;

describe('a gateway killed with SIGKILL while jobs are due', () => {
  it.each(inGroups(STEPS, STEPS_PER_STORE).map((steps) => [steps.join(', '), steps] as const))(
    '[J-01] at %s runs each due time exactly once',
    async (_names, steps) => {
      const [first = '', ...later] = steps.flatMap((step) => passesOf(step).map((pass) => `${step}:${pass}`));
      start({ OPENCLAW_FAILPOINT: first });
      const job = {
        name: 'second',
        schedule: { every_ms: 1_000 },
        target: { channel: 'test', sender: 'ann' },
        message: 'tick',
        misfire: 'all',
        overlap: 'queue',
      };
      // On a slow machine the first run may end the gateway before its response has come.
      await call('', 'POST', job).catch(() => {});
      expect((await gateway.exited).signal).toBe('SIGKILL');
      for (const failpoint of later) {
        start({ OPENCLAW_FAILPOINT: failpoint });
        expect((await gateway.exited).signal).toBe('SIGKILL');
      }
      start();
      const { items } = (await call('')) as { readonly items: readonly { readonly job_id: string }[] };
      const { job_id } = items[0]!;
      const before = await readRuns(job_id);
      await vi.waitFor(
        async () => {
          const runs = await readRuns(job_id);
          const done = runs.filter(({ status }) => status === 'done');
          expect(done.length).toBeGreaterThanOrEqual(before.length + MORE_RUNS);
        },
        { timeout: 60_000, interval: 200 },
      );
      await call(`/${job_id}`, 'PATCH', { enabled: false });
      await vi.waitFor(
        async () => expect((await readRuns(job_id)).every(({ status }) => status === 'done')).toBe(true),
        {
          timeout: 30_000,
          interval: 100,
        },
      );
      const runs = (await readRuns(job_id)).toReversed();
      await gateway.end();
      // Each second once, without a gap: fewer than the 24 that are made up for were missed.
      expect(runs.map(({ due }) => due - (runs[0]?.due ?? 0))).toEqual(runs.map((_, index) => index * 1_000));
      expect(new Set(runs.map(({ message_ref }) => message_ref)).size).toBe(runs.length);
      expect(readNumber(folder, "SELECT count(*) AS n FROM messages WHERE message_id LIKE 'cron:%'")).toBe(runs.length);
      expect(readNumber(folder, "SELECT count(*) AS n FROM frames WHERE type = 'stream_end'")).toBe(runs.length);
    },
  );
});
