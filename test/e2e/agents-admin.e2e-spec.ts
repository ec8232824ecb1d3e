import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const SETTINGS = {
  ...withTokens,
  'agent.system_prompt': 'Be brief.',
  agents: {
    ops: { name: 'olga', description: 'Runs the machines', permissions: ['memory'], tools: { deny: ['memory.save'] } },
    theirs: { tenant: 'acme', description: 'only for acme' },
  },
  bindings: [
    { agent: 'ops', channel: 'slack', sender: 'olga' },
    { agent: 'theirs', channel: 'slack' },
    { agent: 'ops', channel: 'slack' },
    { agent: 'main', account: 'family' },
  ],
};

let gateway: GatewayApp;
const start = async () => (gateway = await GatewayApp.start({ settings: SETTINGS }));
afterEach(() => gateway.close());

async function call(path: string, body?: object, token: string = TOKENS.operator) {
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

describe('the administration of agents', () => {
  it('[Z-12] lists the agents of the tenant, in pages, and of the one that stands in the name only', async () => {
    await start();
    expect((await call('agents')).body).toEqual({
      items: [
        { id: 'main', name: 'openclaw', tenant: 'default', default: true, runtime: 'auto' },
        {
          id: 'ops',
          name: 'olga',
          description: 'Runs the machines',
          tenant: 'default',
          default: false,
          runtime: 'auto',
        },
      ],
    });
    const first = (await call('agents?limit=1')).body;
    expect(first['items']).toMatchObject([{ id: 'main' }]);
    expect((await call(`agents?limit=1&cursor=${String(first['next'])}`)).body).toMatchObject({
      items: [{ id: 'ops' }],
    });
    expect((await call('agents', undefined, TOKENS.stranger)).body['items']).toEqual([
      { id: 'main', name: 'openclaw' },
      { id: 'theirs', name: 'theirs', description: 'only for acme', tenant: 'acme', default: false, runtime: 'auto' },
    ]);
    for (const query of ['limit=0', 'limit=201', 'limit=x', 'from=1'])
      expect((await call(`agents?${query}`)).status).toBe(400);
  });

  it('[Z-12] shows the effective settings of an agent with the source of each, and its tools', async () => {
    await start();
    const { body } = await call('agents/ops');
    expect(body['settings']).toMatchObject({
      name: { value: 'olga', source: 'command line', key: 'agents.ops.name' },
      system_prompt: { value: 'Be brief.', source: 'command line', key: 'agent.system_prompt' },
      turn_timeout_ms: { value: 600_000, source: 'default', key: 'agent.turn_timeout_ms' },
      model: { value: null, source: 'default', key: 'agent.model' },
      workspace: { value: 'session', source: 'default' },
    });
    expect(body['tools']).toContain('memory.search');
    expect(body['tools']).not.toContain('memory.save');
    expect((await call('agents/theirs')).status).toBe(404);
    expect((await call('agents/ghost')).status).toBe(404);
    expect((await call('agents/main', undefined, TOKENS.stranger)).body).toEqual({ id: 'main', name: 'openclaw' });
    expect((await call('agents/ops', undefined, TOKENS.reader)).status).toBe(403);
  });

  it('[Z-13] lists the bindings of the tenant, and says who would answer and why', async () => {
    await start();
    expect((await call('bindings')).body['items']).toEqual([
      { index: 0, agent: 'ops', channel: 'slack', sender: 'olga' },
      { index: 2, agent: 'ops', channel: 'slack' },
      { index: 3, agent: 'main', account: 'family' },
    ]);
    const test = async (message: object, token?: string) => (await call('bindings/test', message, token)).body;
    expect(await test({ channel: 'slack.family', sender: 'olga' })).toMatchObject({
      agent: 'ops',
      exists: false,
      because: { binding: 0 },
      candidates: [
        { index: 0, agent: 'ops', matched: ['sender', 'channel'] },
        { index: 3, agent: 'main', matched: ['account'] },
        { index: 2, agent: 'ops', matched: ['channel'] },
      ],
    });
    expect(await test({ channel: 'mail' })).toMatchObject({
      agent: 'main',
      because: { default: true },
      candidates: [],
    });
    expect(await test({ channel: 'slack', account: 'family' })).toMatchObject({ because: { binding: 3 } });
    expect(await test({ channel: 'slack' }, TOKENS.stranger)).toMatchObject({
      agent: 'theirs',
      because: { binding: 1 },
    });
    expect((await call('bindings/test', { channel: 'slack', tenant: 'default' }, TOKENS.stranger)).status).toBe(404);
    for (const body of [{}, { channel: '' }, { channel: 'slack', x: 1 }, { channel: 'slack.a', account: 'b' }])
      expect((await call('bindings/test', body)).status).toBe(400);
  });

  it('[Z-13] names the session that the message then goes to', async () => {
    await start();
    const message = { channel: 'slack', sender: 'ann', group_id: 'g', thread_id: 't' };
    const before = (await call('bindings/test', message)).body;
    const client = await gateway.connect('c', TOKENS.operator);
    client.send('message_in', { ...message, content: '@olga /agents' });
    expect((await client.next('message_ack')).session_id).toBe(before['session_id']);
    const { payload } = await client.next('stream_block');
    expect(payload['content']).toBe('- openclaw (main)\n* olga (ops): Runs the machines');
    expect([before['exists'], (await call('bindings/test', message)).body['exists']]).toEqual([false, true]);
    expect((await call(`sessions/${String(before['session_id'])}`)).body).toMatchObject({ agent: 'ops' });
    client.send('message_in', { ...message, content: '/status' });
    const status = await client.next(
      (frame) => frame.type === 'stream_block' && frame.payload['block_type'] === 'status',
    );
    expect(status.payload['content']).toContain('agent: olga (ops)');
  });
});

/** A fake terminal, connected to the real gateway. */
class Console extends FakeTerminal {
  override readonly fetch = fetch;
}

describe('openclaw agents', () => {
  const type = async (...args: string[]) => {
    const terminal = new Console({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator });
    const code = await run(['agents', ...args], terminal);
    return { code, out: terminal.stdout.text, err: terminal.stderr.text };
  };

  it('[Z-14] lists, shows and tests', async () => {
    await start();
    expect((await type('list')).out).toMatch(
      /^AGENT[^]*\nmain \(default\) +openclaw[^]*\nops +olga +Runs the machines/m,
    );
    expect((await type('show', 'ops')).out).toMatch(/name +olga +command line +agents\.ops\.name/);
    const widths = (await type('show', 'main')).out.split('\n').map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThan(130);
    const tested = await type('test', '--channel', 'slack', '--sender', 'olga');
    expect(tested.out).toMatch(/agent +ops\nbecause +bindings\[0\]\nsession +s_\S+ \(would be made\)/);
    const json = await type(
      'test',
      '--channel',
      'slack',
      '--group',
      'g',
      '--thread',
      't',
      '--account',
      'family',
      '--json',
    );
    expect(JSON.parse(json.out)).toMatchObject({ agent: 'main', because: { binding: 3 } });
  });

  it('[Z-14] ends with 2 for a wrong usage and 1 for an unknown agent', async () => {
    await start();
    for (const args of [['show'], ['test'], ['list', 'x'], ['what'], ['list', '--channel', 'x']])
      expect([args, (await type(...args)).code]).toEqual([args, 2]);
    expect(await type('show', 'ghost')).toMatchObject({ code: 1, err: expect.stringContaining('ghost') as string });
  });
});
