import { describe, expect, it } from 'vitest';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { run } from './cli.js';
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
