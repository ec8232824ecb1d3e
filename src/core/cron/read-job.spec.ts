import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../protocol/domain.js';
import type { JobInput } from './job-schema.js';
import { readJob } from './read-job.js';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const MAKER = { kind: 'operator', principal: 'operator' } as const;

function read<T>(name: string): T {
  const url = new URL(`../../../test/inputs/cron/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

/** Returns the schedule that is stored, or the faults. */
async function readSchedule(schedule: JobInput['schedule'], timezone = 'Europe/Paris') {
  const job = { name: 'a job', target: { channel: 'test', sender: 'ann' }, message: 'ping', schedule };
  try {
    return (await readJob(job, { now: NOW, timezone, maker: MAKER })).schedule;
  } catch (error) {
    const { details } = GatewayError.from(error) as GatewayError<'INVALID_PAYLOAD'>;
    return details.faults.map(({ pointer, message }) => `${pointer} ${message}`).join();
  }
}

interface Expressions {
  readonly cases: readonly { readonly cron: string; readonly expect: string }[];
}

describe('an expression', () => {
  const { cases } = read<Expressions>('expressions');

  it.each(cases.map((one) => [one.cron.slice(0, 40), one] as const))(
    '[J-07] %s is taken or refused',
    async (_, one) => {
      const wanted = one.expect;
      const cron = one.cron.includes('20,000 times') ? `${'1,'.repeat(20_000)}1 * * * *` : one.cron;
      const schedule = await readSchedule({ cron });
      if (wanted.startsWith('accept')) return expect(schedule).toMatchObject({ kind: 'cron', expression: cron.trim() });
      expect(schedule).toMatch(/^\/schedule\/cron /);
      const hint = /hint (\S+)/.exec(wanted)?.[1];
      if (hint !== undefined) expect(schedule).toContain(hint);
      return undefined;
    },
  );

  it.each(read<{ never: { schedule: { cron: string } }[] }>('dom-dow').never)(
    '[J-07] that is never due is refused: %j',
    async (one) => {
      expect(await readSchedule({ cron: one.schedule.cron })).toBe('/schedule/cron is never due');
    },
  );
});

describe('words in place of an expression', () => {
  it.each(['every weekday at 8', 'Daily at 9', 'each monday 8:00', 'at noon'])(
    '[J-07] are refused with an example: %s',
    async (cron) => {
      expect(await readSchedule({ cron })).toMatch(/^\/schedule\/cron takes no words: `0 8 \* \* 1-5` is/);
    },
  );
});

describe('a zone', () => {
  it.each([
    ['Etc/GMT-5', 'Etc/GMT-5'],
    ['europe/paris', 'Europe/Paris'],
    ['Europe/Kiev', 'Europe/Kiev'],
    ['utc', 'UTC'],
  ])('[J-07] %s is taken', async (timezone, stored) => {
    expect(await readSchedule({ cron: '@daily', timezone })).toMatchObject({ timezone: stored });
  });

  it.each([
    ['', 'region'],
    ['EST', 'America/New_York'],
    ['IST', 'Asia/Kolkata'],
    ['PST', 'America/Los_Angeles'],
    ['+05:30', 'region'],
    [' Europe/Paris', 'region'],
    ['Mars/Base', 'not known'],
  ])('[J-07] "%s" is refused with a hint', async (timezone, hint) => {
    expect(await readSchedule({ cron: '@daily', timezone })).toContain(hint);
  });
});

describe('a single time', () => {
  const { at: cases } = read<{ at: { at: string | number; timezone?: string | null; expect: string }[] }>(
    'zones-and-times',
  );

  it.each(cases)('[J-07] is read in its zone, or refused: %j', async ({ at, timezone, expect: wanted }) => {
    const schedule = await readSchedule({ at, ...(timezone && { timezone }) });
    if (wanted.startsWith('refused')) expect(schedule).toMatch(/^\/schedule\/at /);
    else if (wanted.startsWith('2')) expect(schedule).toMatchObject({ kind: 'at', at: Date.parse(wanted) });
    else expect(schedule).toMatchObject({ at: Date.parse('2026-12-01T08:00:00Z'), timezone: 'Europe/Paris' });
  });
});
