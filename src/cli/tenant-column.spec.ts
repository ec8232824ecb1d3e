import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { run } from './cli.js';

const LISTS: readonly (readonly [string, object])[] = [
  ['tokens', { id: 't1', principal: 'ci', role: 'operator', scopes: [], created_at: 1, created_by: 'ann' }],
  ['sessions', { id: 's_1', mode: 'main', channel: 'chat', agent: 'main', key: ['z'], last_active: 1 }],
  ['approvals', { approval_id: 'ap_1', tool: 'shell', arguments: {}, arguments_sha256: '0', expires_at: 1 }],
  ['queue', { message_ref: 'm_1', session_id: 's_1', channel: 'chat', sender: 'z', priority: 1, age_ms: 1 }],
  ['turns', { message_ref: 'm_1', session_id: 's_1', channel: 'c', sender: 'z', agent: 'a', since: 1, step: 'model' }],
  ['dead-letters', { id: 1, channel: 'chat', chat: 'z', created_at: 1, reason: 'blocked', text: 'Hello' }],
  ['people', { channel: 'chat', sender: 'z', session_id: 's_1', last_active: 1 }],
  ['presence', { channel: 'chat', user_id: 'z', status: 'online', last_seen: 1 }],
  ['nodes', { id: 'mac', name: 'Mac', state: 'away', commands: [], jobs: [] }],
  ['cron', { job_id: 'j1', name: 'news', enabled: true, words: 'daily', schedule: { timezone: 'UTC' }, next: [] }],
  ['usage', { answers: 1, input_tokens: 1, cached_input_tokens: 0, output_tokens: 1, cost: 0 }],
];

/** A gateway with one row in each list, which is of tenant acme. */
function connect(tenantOfCaller: string, row: object): FakeTerminal {
  const terminal = new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' });
  terminal.answer = ({ url }) =>
    Response.json(url.endsWith('/me') ? { tenant: tenantOfCaller } : { items: [{ tenant: 'acme', ...row }] });
  return terminal;
}

describe('[E14] tables of the command line', () => {
  it.each(LISTS)('%s: name the tenant of each row for operators of all tenants', async (command, row) => {
    const terminal = connect('*', row);
    expect(await run([command], terminal)).toBe(0);
    expect(terminal.stdout.text.match(/TENANT/g)).toHaveLength(1);
    expect(terminal.stdout.text).toContain('acme');
  });

  it.each(LISTS.filter(([command]) => command !== 'usage'))(
    '%s: have no such column for operators of one tenant, or where one is asked for',
    async (command, row) => {
      const [ofOne, asked] = [connect('acme', row), connect('*', row)];
      await run([command], ofOne);
      await run([command, '--tenant', 'acme'], asked);
      for (const { stdout } of [ofOne, asked]) expect(stdout.text).not.toContain('acme');
      expect(asked.requests.map(({ url }) => new URL(url).searchParams.get('tenant'))).toEqual(['acme']);
    },
  );
});
