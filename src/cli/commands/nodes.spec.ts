import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';
import { describeLink, formatLink } from './node-link.js';

describe('the link of a pairing', () => {
  const made = { code: 'K7M2P-9QX4T', expires_at: Date.UTC(2026, 0, 1, 12, 30) };

  it('has the code in its fragment, which no server sees', () => {
    expect(formatLink('https://gateway.example', made.code)).toBe('https://gateway.example/node#pair=K7M2P-9QX4T');
    expect(formatLink('http://127.0.0.1:18789', made.code)).toBe('http://127.0.0.1:18789/node#pair=K7M2P-9QX4T');
  });

  it('is missing where browsers give no camera, and the reason is said', async () => {
    const text = await describeLink('http://192.168.1.5:18789', made, true);
    expect(text).toContain('A browser cannot be a device at http://192.168.1.5:18789: it needs https');
    expect(text).toContain('openclaw node run --url http://192.168.1.5:18789 --pair K7M2P-9QX4T');
  });

  it('is drawn as a QR code in a terminal alone', async () => {
    expect(await describeLink('https://gateway.example', made, true)).toMatch(/[▀▄█]{10}/);
    expect(await describeLink('https://gateway.example', made, false)).not.toMatch(/[▀▄█]/);
  });
});

describe('openclaw nodes', () => {
  it('[F-07] allow exactly the form of a command that it prints', async () => {
    const kept = {
      ...{ description: 'Sets the lamp.', parameters: { type: 'object' }, permissions: ['lamp'] },
      ...{ timeout_ms: 5_000, idempotent: false, dangerous: true },
    };
    const waiting = { ...kept, permissions: [], timeout_ms: 60_000, idempotent: true, dangerous: false };
    const command = { ...kept, name: 'lamp.set', offered: true, waiting, waiting_sha256: 'a'.repeat(64) };
    const node = { id: 'lamp', name: 'Lamp', state: 'away', commands: [command], jobs: [] };
    const sent: unknown[] = [];
    const terminal = Object.assign(new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' }), {
      fetch: async (url: string, { method, body }: { method?: string; body?: string } = {}) => {
        if (method !== 'POST') return Response.json({ items: [node] });
        sent.push([new URL(url).pathname, body]);
        return Response.json(node);
      },
    });
    expect(await run(['nodes', 'allow', 'lamp', '--command', 'lamp.set'], terminal)).toBe(0);
    expect(terminal.stderr.text.split('\n')).toEqual([
      'lamp.set, * has changed',
      '  description: "Sets the lamp."',
      '  parameters: {"type":"object"}',
      '* permissions: []',
      '    was: ["lamp"]',
      '* timeout_ms: 60000',
      '    was: 5000',
      '* idempotent: true',
      '    was: false',
      '* dangerous: false',
      '    was: true',
      '',
    ]);
    const path = '/admin/v1/nodes/lamp/commands/lamp.set/allow';
    expect(sent).toEqual([[path, JSON.stringify({ sha256: command.waiting_sha256 })]]);
  });

  it.each([
    [['nodes', 'fly'], 'nodes knows list, pair, allow, rename, revoke, not fly'],
    [['nodes', 'allow', 'a'], 'allow needs ID and GLOBS'],
    [['nodes', 'revoke'], 'revoke needs ID'],
    [['nodes', 'list', 'a'], 'Unexpected argument a'],
  ])('%j is wrong usage', async (args, message) => {
    const terminal = new FakeTerminal();
    expect(await run(args, terminal)).toBe(2);
    expect(terminal.stderr.text).toContain(message);
  });
});
