import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { AuditStore } from '../../src/core/store/index.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let folder: string;
const OPERATOR = { 'auth.tokens': [{ token: TOKENS.operator, principal: 'ann', role: 'operator' }] };

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'audit-'))));
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

async function start(settings: Record<string, unknown> = OPERATOR): Promise<void> {
  gateway = await GatewayApp.start({ settings });
}

const get = (path: string, token: string = TOKENS.operator) =>
  fetch(`${gateway.url}/admin/v1/audit${path}`, { headers: { authorization: `Bearer ${token}` } });

const add = (target: string, changes: object = {}) =>
  gateway.app.get(AuditStore).recordAudit({
    ...{ tenant: 'default', actor: 'ann', action: 'test.change', target, before: 'null', after: '{"a":1}' },
    ...changes,
  });

interface Page {
  readonly items: readonly { readonly entry: number; readonly target: string; readonly tenant: string }[];
  readonly next?: string;
}
const list = async (query = '', token?: string) => (await (await get(query, token)).json()) as Page;

async function openclaw(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  class Console extends FakeTerminal {
    override readonly fetch = fetch;
  }
  const terminal = new Console({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator });
  const code = await run(['audit', ...args], terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the audit trail over HTTP', () => {
  it('[I-55] is listed newest first in pages, by what made the change', async () => {
    await start();
    for (let n = 0; n < 5; n++) await add(`t${n}`);
    await add('other', { actor: 'bob' });
    const first = await list('?action=test.change&actor=ann&limit=2');
    expect(first.items).toMatchObject([{ target: 't4' }, { target: 't3' }]);
    const second = await list(`?action=test.change&actor=ann&limit=2&cursor=${first.next}`);
    expect(second.items).toMatchObject([{ target: 't2' }, { target: 't1' }]);
    const last = await list(`?action=test.change&actor=ann&limit=2&cursor=${second.next}`);
    expect([last.items.map(({ target }) => target), last.next]).toEqual([['t0'], undefined]);
    expect((await list(`?from=${Date.now() + 1_000_000}`)).items).toEqual([]);
  });

  it('[I-55] refuses a cursor that was changed or is for other filters, and wrong queries', async () => {
    await start();
    for (let n = 0; n < 3; n++) await add(`t${n}`);
    const { next = '' } = await list('?limit=1&action=test.change');
    for (const query of [
      `?limit=1&cursor=${next}`,
      `?limit=1&action=test.change&cursor=9${next}`,
      `?limit=1&action=test.change&cursor=${next.slice(0, -1)}`,
      '?cursor=x',
      '?limit=0',
      '?from=yesterday',
      '?what=1',
    ])
      expect([query, (await get(query)).status]).toEqual([query, 400]);
  });

  it('[I-55] is for operators with audit:read, each within its tenant; the check of all is for tenant *', async () => {
    await start(withTokens);
    await add('of-default');
    await add('of-acme', { tenant: 'acme' });
    for (const token of [TOKENS.reader, TOKENS.driver, TOKENS.alice]) expect((await get('', token)).status).toBe(403);
    const seen = async (token: string, query = '') =>
      (await list(`?action=test.change${query}`, token)).items.map(({ target }) => target);
    expect(await seen(TOKENS.stranger)).toEqual(['of-acme']);
    expect((await get('?tenant=default', TOKENS.stranger)).status).toBe(404);
    expect(await seen(TOKENS.operator)).toEqual(['of-default']);
    for (const token of [TOKENS.stranger, TOKENS.operator]) {
      const refused = await get('/verify', token);
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'FORBIDDEN']);
    }
    await gateway.close();
    await start();
    await add('of-acme', { tenant: 'acme' });
    expect(await seen(TOKENS.operator)).toEqual(['of-acme']);
    expect(await seen(TOKENS.operator, '&tenant=default')).toEqual([]);
  });

  it('[I-56] is exported with an end, which is a row of the trail itself', async () => {
    await start();
    for (let n = 0; n < 2_500; n++) void add(`t${n}`);
    await add('last');
    const response = await get('/export?action=test.change');
    expect(response.headers.get('content-type')).toBe('application/jsonl');
    const lines = (await response.text()).trimEnd().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { type: string; entry?: number; items?: number });
    expect(rows).toHaveLength(2_502);
    expect(rows.at(-1)).toMatchObject({ type: 'end', items: 2_501, sha256: expect.any(String) });
    expect(rows[0]).toMatchObject({ type: 'row', target: 't0', after: { a: 1 }, body: expect.any(String) });
    expect((await list('?action=audit.export')).items).toHaveLength(1);
  });

  it('[I-52] verifies, also against a head that was noted before', async () => {
    await start();
    await add('one');
    const verify = async (query = '') => (await (await get(`/verify${query}`)).json()) as Record<string, unknown>;
    const verdict = await verify();
    expect(verdict).toMatchObject({ ok: true, oldest: 1 });
    const { entry, hash } = verdict['head'] as { entry: number; hash: string };
    await add('two');
    expect(await verify(`?known=${entry}:${hash}`)).toMatchObject({ ok: true });
    expect(await verify(`?known=${entry}:${'0'.repeat(64)}`)).toMatchObject({
      ok: false,
      broken_at: entry,
      fault: 'differs',
    });
    expect(await verify(`?known=${entry + 9}:${hash}`)).toMatchObject({ ok: false, fault: 'missing' });
    expect((await get('/verify?known=7')).status).toBe(400);
  });
});

describe('openclaw audit', () => {
  it('[I-55] lists and verifies', async () => {
    await start();
    await add('t1', { person: { tenant: 'default', channel: 'telegram', sender: '5001' } });
    const { out } = await openclaw('list', '--action', 'test.change');
    expect(out).toMatch(
      /^ENTRY +TIME +ACTOR +ACTION +TARGET +PERSON\n\d+ +20\S+ +ann +test\.change +t1 +telegram\/5001\n$/,
    );
    expect(JSON.parse((await openclaw('--json', '--limit', '1')).out)).toMatchObject({ items: [{ entry: 2 }] });
    expect(await openclaw('verify')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^intact: rows 1 to 2\nhead 2:/),
    });
    const broken = await openclaw('verify', '--known', `1:${'0'.repeat(64)}`);
    expect(broken).toMatchObject({ code: 1, err: expect.stringContaining('differs from the noted head at row 1') });
    for (const args of [['export'], ['drop'], ['list', 'x'], ['--limit', '0'], ['--from', 'soon']])
      expect([args, (await openclaw(...args)).code]).toEqual([args, 2]);
  });

  it('[I-56] saves a whole export to a file for its owner', async () => {
    await start();
    for (let n = 0; n < 10; n++) await add(`t${n}`);
    const file = join(folder, 'audit.jsonl');
    expect(await openclaw('export', file)).toMatchObject({ code: 0, out: `12 rows in ${file}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(13);
    expect(existsSync(`${file}.part`)).toBe(false);
  });
});
