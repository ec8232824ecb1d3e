import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

const JOB = {
  job_id: 'j1',
  name: 'tea',
  enabled: true,
  words: 'at 16:00',
  schedule: { timezone: 'Europe/Oslo' },
  target: { channel: 'telegram', sender: '5001' },
  next: [],
  failures: 0,
};

async function cron(...args: string[]) {
  return cronOf(JOB, args);
}

async function cronOf(job: object, args: readonly string[]) {
  const terminal = new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' });
  terminal.answer = ({ url }) => Response.json(url.endsWith('/health') ? { connected_channels: ['telegram'] } : job);
  const code = await run(['cron', ...args], terminal);
  return { code, request: terminal.requests[0], err: terminal.stderr.text };
}

describe('openclaw cron', () => {
  it('edit changes the zone of a job alone', async () => {
    const { code, request } = await cron('edit', 'j1', '--timezone', 'Europe/Oslo');
    expect([code, request?.method, await request?.json()]).toEqual([
      0,
      'PATCH',
      { schedule: { timezone: 'Europe/Oslo' } },
    ]);
  });

  it.each([
    [{ channel: 'telegram', sender: '5001' }, ''],
    [{ channel: 'webchat', sender: 'ann' }, ''],
    [{ isolated: true }, ''],
    [{ channel: 'nosuch', sender: 'ann' }, 'No driver of channel nosuch is connected now'],
    [{ isolated: true, deliver_to: { channel: 'nosuch', sender: 'ann' } }, 'No driver of channel nosuch'],
  ])('warns when no driver would receive the answers of a job: %j', async (target, says) => {
    const { code, err } = await cronOf({ ...JOB, target }, ['edit', 'j1', '--name', 'tea']);
    expect([code, err]).toEqual([0, says === '' ? '' : expect.stringContaining(says)]);
  });

  it.each([
    [['edit', 'j1', '--node', 'door'], '--node belongs to --on-event'],
    [['edit', 'j1', '--cron', '@daily', '--node', 'door'], '--node belongs to --on-event'],
    [['add', '--name', 'a', '--message', 'b', '--timezone', 'UTC'], 'add needs one of --cron'],
  ])('%j is wrong usage, which the last lines say', async (args, message) => {
    const { code, err } = await cron(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(err.trim().split('\n')).toHaveLength(2);
  });
});
