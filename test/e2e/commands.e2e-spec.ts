import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS, run } from '../../src/cli/cli.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

/** What each command that talks to a gateway reads; the others start one, or are about this machine. */
const READS: Readonly<Record<string, readonly string[]>> = {
  status: [],
  agents: ['list'],
  approvals: [],
  audit: [],
  channels: [],
  config: ['history'],
  connections: [],
  cron: [],
  'dead-letters': [],
  logs: [],
  messages: ['show', 'm_none_1'],
  models: [],
  nodes: [],
  people: [],
  presence: [],
  queue: [],
  sessions: [],
  tokens: [],
  tenants: [],
  tools: [],
  turns: [],
  usage: [],
  serve: ['--status'],
  funnel: ['--status'],
};
const OTHERS = ['setup', 'start', 'chat', 'node', 'drain', 'backup', 'restore', 'doctor', 'completion'];

let gateway: GatewayApp;
beforeAll(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
});
afterAll(() => gateway.close());

class Console extends FakeTerminal {
  override readonly fetch = fetch;
}

async function command(args: readonly string[], token: string, url = gateway.url) {
  const terminal = new Console({ OPENCLAW_URL: url, OPENCLAW_TOKEN: token });
  return { code: await run(args, terminal), out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the commands that talk to a gateway', () => {
  it('[P-32] are all of them', () => {
    const known = [...Object.keys(READS), ...OTHERS];
    expect(COMMANDS.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
  });

  describe.each(Object.entries(READS))('openclaw %s', (name, args) => {
    // There is no such message.
    const done = name === 'messages' ? 1 : 0;

    it('[P-32] prints for people, and with --json JSON for programs', async () => {
      const people = await command([name, ...args], TOKENS.owner);
      expect([people.code, people.out]).toEqual([done, expect.stringMatching(/^$|\n$/)]);
      const programs = await command([name, ...args, '--json'], TOKENS.owner);
      expect(programs.code).toBe(done);
      const lines = name === 'logs' ? programs.out.trim().split('\n') : [programs.out];
      if (done === 0) for (const line of lines.filter(Boolean)) expect(JSON.parse(line)).toBeTypeOf('object');
    });

    it('[P-32] exits with 1 for a wrong token, 2 for wrong usage and 3 without a gateway', async () => {
      expect((await command([name, ...args], 'wrong-token-0123456789')).code).toBe(1);
      expect((await command([name, ...args, '--nonsense'], TOKENS.owner)).code).toBe(2);
      expect((await command([name, ...args], TOKENS.owner, 'http://127.0.0.1:9')).code).toBe(3);
    });
  });
});
