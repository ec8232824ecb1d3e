import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { systemTimers } from '../../src/client/index.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
beforeEach(
  async () => void (gateway = await GatewayApp.start({ settings: { 'auth.tokens': withTokens['auth.tokens'] } })),
);
afterEach(() => gateway.close());

/** A fake terminal, connected to the real gateway. */
class Console extends FakeTerminal {
  override readonly fetch = fetch;
  readonly timers = {
    ...systemTimers,
    setTimer: (_delayMs: number, callback: () => void) => systemTimers.setTimer(1, callback),
  };

  constructor(token: string = TOKENS.owner) {
    super({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: token });
  }
}

async function openclaw(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new Console();
  const code = await run(['config', ...args], terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('openclaw config', () => {
  it('[P-18] gets settings, each with its source', async () => {
    expect(await openclaw('get', 'agent.name')).toMatchObject({ code: 0, out: 'agent.name  openclaw  default\n' });
    expect((await openclaw('get', 'queue')).out).toMatch(/^queue\.max_per_session +100 +default$/m);
    expect(JSON.parse((await openclaw('get', 'agent.name', '--json')).out)).toMatchObject({
      version: 0,
      settings: [{ key: 'agent.name' }],
    });
  });

  it('[P-18] sets and unsets, and says when the change takes effect', async () => {
    expect(await openclaw('set', 'agent.name', 'ada')).toMatchObject({
      code: 0,
      out: 'agent.name set, in force (version 1)\n',
    });
    expect((await openclaw('get', 'agent.name')).out).toBe('agent.name  ada  run time\n');
    expect((await openclaw('set', 'gateway.heartbeat_interval_ms', '5000')).out).toContain('at the next start');
    expect((await openclaw('set', 'tools.disabled', '["time.now"]')).code).toBe(0);
    expect((await openclaw('unset', 'agent.name')).out).toContain('agent.name unset');
    expect((await openclaw('get', 'agent.name')).out).toBe('agent.name  openclaw  default\n');
  });

  it('[P-18] says what is wrong with a key, a value or a credential', async () => {
    expect(await openclaw('get', 'agent.nam')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean agent.name') as string,
    });
    expect(await openclaw('set', 'queue.max_total', '0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('10000000') as string,
    });
    expect(await openclaw('set', 'tools.disabled', '[')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is not JSON') as string,
    });
    expect((await openclaw('paint')).code).toBe(2);
    const stranger = new Console(TOKENS.alice);
    expect(await run(['config', 'get'], stranger)).toBe(1);
    expect(stranger.stderr.text).toContain('role operator');
  });

  it('[P-18] gets an agent, and each part of a map', async () => {
    expect(
      await openclaw('set', 'providers', '{"local":{"api":"openai-completions","base_url":"http://x/v1"}}'),
    ).toEqual({ code: 0, out: 'providers set, in force (version 1)\n', err: '' });
    expect((await openclaw('set', 'agents.ops.model', 'local/7')).code).toBe(0);
    expect((await openclaw('set', 'agents.ops.description', '42')).code).toBe(0);
    expect((await openclaw('get', 'agents.ops.model')).out).toBe('agents.ops.model  local/7  run time\n');
    expect((await openclaw('set', 'agents.ops.model', '"local/7"')).code).toBe(0);
    expect((await openclaw('get', 'agents.ops.model')).out).toContain('  local/7  ');
    expect((await openclaw('set', 'agents.ops.system_prompt', '"Hello", she said.')).code).toBe(0);
    expect((await openclaw('get', 'agents.ops.system_prompt')).out).toContain('"Hello", she said.');
    expect((await openclaw('get', 'agents.ops')).out).toMatch(/^agents\.ops\.description +42 +run time$/m);
    expect((await openclaw('get', 'agents.main')).out).toMatch(/^agents\.main\.name +openclaw +default$/m);
    expect((await openclaw('get', 'agents.main.model')).out).toBe('agents.main.model  -  default\n');
    expect((await openclaw('get', 'providers.local')).out).toMatch(
      /^providers\.local\.base_url +http:\/\/x\/v1 +run time$/m,
    );
    expect((await openclaw('get', 'providers.local.api')).out).toContain('openai-completions');
    expect((await openclaw('unset', 'agents.ops.description')).code).toBe(0);
    expect((await openclaw('get', 'agents.ops.description')).out).toBe('agents.ops.description  -  default\n');
  });

  it('[P-18] names what is wrong with a part of a map', async () => {
    const errorOf = async (...args: string[]) => (await openclaw(...args)).err;
    expect(await errorOf('unset', 'agent.name')).toBe(
      'agent.name has not been changed at run time; nothing to unset\n',
    );
    expect(await errorOf('set', 'bindings', '[{"agent":"opps","channel":"x"}]')).toBe(
      'openclaw: bindings[0].agent: there is no agent opps\n',
    );
    expect(await errorOf('get', 'agents.opps')).toContain('There is no opps in agents; it is empty');
    expect(await errorOf('get', 'agents.main.modl')).toContain('An agent has no modl; it has name, description, ');
    expect(await errorOf('get', 'providers.groq.base_url')).toContain('There is no groq in providers');
    expect(await errorOf('set', 'mcp.servers.files.command', 'x')).toContain('a part of mcp.servers');
    expect(await errorOf('set', 'providers.groq.base_url', 'http://x')).toContain('must have api and base_url');
    expect(await errorOf('set', 'agents.Ops.model', 'x/y')).toContain('IDs of 1 to 32 of a-z, 0-9 and -');
    expect(await errorOf('set', 'agents.ops.turn_timeout_ms', 'x')).toContain('a whole number from 100');
  });

  it('[P-18] watches changes until Ctrl-C', async () => {
    const terminal = new Console();
    const watching = run(['config', 'watch', 'agent'], terminal);
    await terminal.until(() => terminal.stderr.text.includes('watching'));
    await openclaw('set', 'agent.name', 'ada');
    await terminal.until(() => terminal.stdout.text.includes('agent.name  openclaw -> ada  (run time)'));
    terminal.interrupt();
    expect(await watching).toBe(0);
  });
});
