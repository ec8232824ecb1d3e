import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { run } from './cli.js';

const HEALTH = {
  status: 'healthy',
  uptime_seconds: 93_784,
  connected_channels: ['telegram', 'webchat'],
  active_sessions: 3,
  queued_messages: 2,
  registered_tools: 47,
  memory_usage_mb: 245,
};

function healthyTerminal(env: Record<string, string> = {}, body: object = HEALTH, httpStatus = 200): FakeTerminal {
  const terminal = new FakeTerminal(env);
  terminal.answer = () => Response.json(body, { status: httpStatus });
  return terminal;
}

describe('the command line', () => {
  it('lists its commands with help, and prints its version', async () => {
    const terminal = new FakeTerminal();

    expect(await run(['help'], terminal)).toBe(0);
    expect(await run(['--version'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/start +run a gateway\n[^]*\n\d+\.\d+\.\d+\n$/);
  });

  it.each([
    ['help', 'chat'],
    ['chat', '--help'],
    ['chat', '--sender', 'x', '-h'],
  ])("shows a command's usage for %s %s", async (...args) => {
    const terminal = new FakeTerminal();

    expect(await run(args, terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/^Usage: openclaw chat/);
  });

  it.each([
    [[], /^Usage: openclaw COMMAND/],
    [['chta'], /no command chta; did you mean chat\?/],
    [['stat'], /did you mean status\?/],
    [['fly'], /There is no command fly\nTry: openclaw help\n$/],
    [['--chat'], /Unknown option --chat/],
    [['status', '--jsno'], /Unknown option --jsno; did you mean --json\?\nTry: openclaw status --help\n$/],
    [['status', 'now'], /Unexpected argument now/],
    [['status', '--url'], /--url needs a value/],
    [['status', '--json=yes'], /--json takes no value/],
    [['status', '--url', 'nowhere'], /nowhere is not a URL/],
    [['status', '--url', 'ftp://host'], /must begin with http/],
    [['chat', '--json'], /--json needs TEXT/],
    [['start', '--port', '70000'], /--port must be a number from 0 to 65535/],
    [['start', '--port', '1e3'], /--port must be a number/],
    [['usage', '--by', 'nonsense'], '--by must be one of tenant, sender, agent, model, not nonsense'],
    [['approvals', '--state', 'open'], '--state must be one of pending, allowed, denied, expired, not open'],
    [['sessions', '--mode', 'x'], '--mode must be one of main, group, queue, not x'],
    [['backup', tmpdir()], 'is a folder: name the file of the backup'],
  ])('exits with code 2 for %j and says what is wrong', async (args, message) => {
    const terminal = new FakeTerminal();

    expect(await run(args, terminal)).toBe(2);
    expect(terminal.stderr.text).toMatch(message);
    expect(terminal.stdout.text).toBe('');
  });

  it('never accepts a token as an argument or in the URL', async () => {
    const terminal = new FakeTerminal();

    expect(await run(['status', '--token', 'secret'], terminal)).toBe(2);
    expect(await run(['status', '--url', 'http://:secret@host'], terminal)).toBe(2);
    expect(await run(['status', '--url', 'http://host?token=secret'], terminal)).toBe(2);
    expect(terminal.stderr.text.match(/set OPENCLAW_TOKEN/g)).toHaveLength(3);
    expect(terminal.stderr.text).not.toContain('secret');
  });
});

describe('openclaw status', () => {
  it('prints a table for people', async () => {
    const terminal = healthyTerminal();

    expect(await run(['status'], terminal)).toBe(0);
    expect(terminal.stdout.text).toBe(
      [
        'Gateway   http://127.0.0.1:18789',
        'Status    healthy',
        'Up        1 d 2 h',
        'Channels  telegram, webchat',
        'Sessions  3 active',
        'Queue     2 waiting',
        'Tools     47 registered',
        'Memory    245 MB',
        '',
      ].join('\n'),
    );
  });

  it.each([
    [3_599, 'Since start'],
    [3_600, 'Last hour'],
  ])('after %d s says that its sums are of: %s', async (uptime, name) => {
    const terminal = healthyTerminal();
    const counts = { connections: 1, running: 0, approvals: 0, dead_letters: 0 };
    const details = { version: '1.0.0', counts, warnings: [], minutes: [{ messages: 2, failed: 1 }] };
    terminal.answer = ({ url }) =>
      Response.json(url.endsWith('/health') ? { ...HEALTH, uptime_seconds: uptime } : details);
    await run(['status'], terminal);

    expect(terminal.stdout.text).toMatch(new RegExp(`^${name} +2 messages, 1 failed`, 'm'));
  });

  it('prints JSON for programs', async () => {
    const terminal = healthyTerminal();

    expect(await run(['status', '--json'], terminal)).toBe(0);
    expect(JSON.parse(terminal.stdout.text)).toEqual(HEALTH);
  });

  it('sends the token of the environment to the gateway of the environment', async () => {
    const terminal = healthyTerminal({ OPENCLAW_URL: 'ws://gateway:1234/', OPENCLAW_TOKEN: 'a-token-of-sixteen' });
    await run(['status'], terminal);

    expect(terminal.requests[0]?.url).toBe('http://gateway:1234/health');
    expect(terminal.requests[0]?.headers.get('authorization')).toBe('Bearer a-token-of-sixteen');
    expect(terminal.requests[0]?.redirect).toBe('error');
  });

  it('says why a protected gateway shows only a part', async () => {
    const terminal = healthyTerminal({}, { status: 'healthy', uptime_seconds: 5 });

    expect(await run(['status'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/Up {7}5 s\n$/);
    expect(terminal.stderr.text).toBe('Set OPENCLAW_TOKEN to see more.\n');
  });

  it.each([
    [{}, undefined, 'set OPENCLAW_TOKEN to a credential with admin:read'],
    [{}, 'a-local-token', 'the token in the file local.token is not a credential with admin:read'],
    [{ OPENCLAW_TOKEN: 'a-token-of-sixteen' }, 'a-local-token', 'the token in OPENCLAW_TOKEN is not a credential'],
  ])('names the source of a credential that may not read the settings (%j, %s)', async (env, localToken, message) => {
    const terminal = healthyTerminal(env, { detail: 'Forbidden' }, 403);
    terminal.localToken = localToken;

    expect(await run(['config', 'get'], terminal)).toBe(1);
    expect(terminal.stderr.text).toContain(message);
  });

  it('repeats what a credential lacks besides scopes, such as the tenant, and asks for no scope', async () => {
    const reason = 'this is about all tenants: it needs a credential whose tenant is "*"';
    const body = { code: 'FORBIDDEN', detail: `Forbidden: ${reason}`, details: { reason } };
    const terminal = healthyTerminal({ OPENCLAW_TOKEN: 'a-token-of-sixteen' }, body, 403);

    expect(await run(['config', 'get'], terminal)).toBe(1);
    expect(terminal.stderr.text).toBe(`openclaw: Forbidden: ${reason}; this is about the token in OPENCLAW_TOKEN\n`);
  });

  it('shows a gateway that is draining', async () => {
    const terminal = healthyTerminal({}, { ...HEALTH, status: 'draining' }, 503);

    expect(await run(['status'], terminal)).toBe(0);
    expect(terminal.stdout.text).toContain('draining');
  });

  it('exits with code 3 and says what to do when no gateway responds', async () => {
    const terminal = new FakeTerminal();

    expect(await run(['status'], terminal)).toBe(3);
    expect(terminal.stderr.text).toMatch(
      /No gateway answers at http:\/\/127\.0\.0\.1:18789 \(ECONNREFUSED\)\.\n.*`openclaw start`/,
    );
  });

  it('exits with code 1 when another program responds', async () => {
    const terminal = healthyTerminal({}, { hello: 'world' }, 404);

    expect(await run(['status'], terminal)).toBe(1);
    expect(terminal.stderr.text).toContain('HTTP 404');
  });
});
