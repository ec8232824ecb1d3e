import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

const TOKEN = {
  id: 't1',
  tenant: 'default',
  principal: 'ci',
  role: 'operator',
  scopes: ['admin:read'],
  created_at: 1,
  created_by: 'ann',
};

function setUp(answer: (request: Request) => Response) {
  const terminal = new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' });
  terminal.answer = answer;
  return terminal;
}

describe('openclaw tokens', () => {
  it('[I-12] create sends the wish and prints the token alone on standard output', async () => {
    let sent: { expires_at: number } | undefined;
    const terminal = Object.assign(new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' }), {
      fetch: async (_url: string, { body }: { body: string }) => {
        sent = JSON.parse(body) as typeof sent;
        return Response.json({ ...TOKEN, token: 'oct_secret', expires_at: sent?.expires_at });
      },
    });
    const flags = ['--principal', 'ci', '--role', 'operator', '--scopes', 'admin:read, audit:read', '--expires', '30d'];
    const before = Date.now();
    expect(await run(['tokens', 'create', ...flags], terminal)).toBe(0);
    expect(terminal.stdout.text).toBe('oct_secret\n');
    expect(terminal.stderr.text).toContain('token t1');
    expect(sent).toMatchObject({ principal: 'ci', role: 'operator', scopes: ['admin:read', 'audit:read'] });
    expect(sent!.expires_at - before).toBeGreaterThanOrEqual(30 * 86_400_000);
  });

  it('lists all pages', async () => {
    const terminal = setUp((request) => {
      const isSecond = new URL(request.url).searchParams.get('cursor') === 't1';
      return Response.json(
        isSecond ? { items: [{ ...TOKEN, id: 't2', expires_at: 0 }] } : { items: [TOKEN], next: 't1' },
      );
    });
    expect(await run(['tokens'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/t1 .*never .*ann .*admin:read\n.*t2 .*1970-01-01T00:00/);
  });

  it('revokes each ID', async () => {
    const terminal = setUp(() => new Response(null, { status: 204 }));
    expect(await run(['tokens', 'revoke', 't1', 't2', '--tenant', 'acme'], terminal)).toBe(0);
    expect(terminal.requests.map(({ method, url }) => [method, url.replace(/^.*18789/, '')])).toEqual([
      ['DELETE', '/admin/v1/tokens/t1?tenant=acme'],
      ['DELETE', '/admin/v1/tokens/t2?tenant=acme'],
    ]);
  });

  it.each([
    [['tokens', 'fly'], 'tokens knows list, create and revoke, not fly'],
    [['tokens', 'create', '--role', 'user'], 'create needs --principal and --role'],
    [['tokens', 'create', '--principal', 'a', '--role', 'user', '--expires', '30'], '--expires must be a duration'],
    [['tokens', 'create', '--principal', 'a', '--role', 'king'], '--role must be one of operator, channel, user, node'],
    [['tokens', 'revoke'], 'revoke needs the ID of a token'],
    [['tokens', 'list', 'a'], 'Unexpected argument a'],
  ])('%j is wrong usage', async (args, message) => {
    const terminal = new FakeTerminal();
    expect(await run(args, terminal)).toBe(2);
    expect(terminal.stderr.text).toContain(message);
  });
});
