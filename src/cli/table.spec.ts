import { expect, it } from 'vitest';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { run } from './cli.js';

const CALL = {
  approval_id: 'ap_1',
  sender: 'eve\u2067',
  tool: 'acme.crm',
  arguments: { what: 'pay \u202e001 RUE ot אב' },
  arguments_sha256: '0'.repeat(64),
  expires_at: 1,
};

/** Runs `openclaw approvals`, and returns what it has written to a pipe, or to a terminal. */
async function list(options: readonly string[] = [], call: object = CALL, isTTY = false): Promise<string> {
  const terminal = new FakeTerminal({ OPENCLAW_TOKEN: 'a-token-0123456789' });
  Object.assign(terminal.stdout, { isTTY });
  terminal.answer = ({ url }) => Response.json(url.endsWith('/me') ? { tenant: 'acme' } : { items: [call] });
  expect(await run(['approvals', ...options], terminal)).toBe(0);
  return terminal.stdout.text;
}

it('[X-14] a table shows what is not seen in foreign text, also in a pipe', async () => {
  const text = await list();
  expect(text).toContain('{"what":"pay ⟨U+202E⟩001 RUE ot אב"}');
  expect(text).toContain('eve⟨U+2067⟩');
});

it('[X-14] JSON for programs has the exact arguments, and no character that is not seen', async () => {
  const text = await list(['--json']);
  expect(text).toContain('pay \\u202e001');
  expect(JSON.parse(text)).toEqual({ items: [CALL] });
});

it.each([false, true])(
  'a call has what is shown of it and its whole arguments below its row, on a terminal: %s',
  async (isTTY) => {
    const given = { note: 'A'.repeat(250), zz_to: 'evil' };
    const detail = 'pay ann\nap_2  eve \u202e1 EUR';
    const [, row, ...below] = (await list([], { ...CALL, arguments: given, detail }, isTTY)).trimEnd().split('\n');
    expect(row).toMatch(/^ap_1 .*acme\.crm  0{64} /);
    for (const line of below) expect(line).toMatch(/^ {4}.{1,100}$/);
    const [first, second, ...rest] = below.map((line) => line.slice(4));
    expect([first, second]).toEqual(['shown: pay ann', 'ap_2  eve ⟨U+202E⟩1 EUR']);
    expect(rest.join('')).toBe(`arguments: ${JSON.stringify(given)}`);
  },
);
