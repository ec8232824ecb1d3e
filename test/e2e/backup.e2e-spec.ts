import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { BackupCheck } from '../../src/cli/commands/backup-check.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { SqliteStore } from '../../src/stores/sqlite/sqlite.store.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { aMessage, GENEROUS_LIMITS } from '../../src/testing/factories.js';
import { verifyAuditTrail } from '../../src/core/audit/audit-chain.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let folder: string;
let gateway: GatewayApp | undefined;
let path: string;
let file: string;
const OPERATOR = { 'auth.tokens': [{ token: TOKENS.operator, principal: 'ann', role: 'operator' }] };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
  path = join(folder, 'gateway.db');
  file = join(folder, 'copy.tar');
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  rmSync(folder, { recursive: true });
});

async function start(settings: Record<string, unknown> = OPERATOR, url = `sqlite:${path}`): Promise<GatewayApp> {
  gateway = await GatewayApp.start({ settings: { 'store.url': url, ...settings } });
  return gateway;
}

async function openclaw(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  class Console extends FakeTerminal {
    override readonly fetch = fetch;
  }
  const terminal = new Console({ OPENCLAW_STORE_URL: `sqlite:${path}`, NODE_ENV: 'production', ...env });
  const code = await run(args, terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

const backUp = (to = file) =>
  openclaw(['backup', to], { OPENCLAW_URL: gateway?.url ?? '', OPENCLAW_TOKEN: TOKENS.operator });

/** Uploads a text file and returns its id. */
async function upload(text: string): Promise<string> {
  const response = await fetch(`${gateway?.url}/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.operator}`, 'content-type': 'text/plain' },
    body: text,
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { media_id: string }).media_id;
}

async function say(id: string): Promise<string> {
  const client = await gateway!.connect('writer', TOKENS.operator);
  client.send('message_in', { channel: 'test', sender: 'alice', content: '/blocks 1' }, { id });
  const ack = await client.next('message_ack');
  await client.next('stream_end');
  await client.close();
  return ack.payload['message_ref'] as string;
}

async function readManifest(from = file) {
  const check = new BackupCheck();
  for await (const chunk of createReadStream(from)) check.read(chunk as Uint8Array);
  return check.finish();
}

const read = (sql: string) => {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare(sql).get();
  database.close();
  return Object.values(row ?? {})[0];
};

describe('openclaw backup with a passphrase', () => {
  it('[I-70] writes a sealed copy, which only restore with the same passphrase reads', async () => {
    const [phrase, wrong] = ['phrase', 'wrong'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(phrase, 'correct horse battery staple\n');
    writeFileSync(wrong, 'another horse battery staple\n');
    await start();
    await say('a-message-id-in-the-clear');
    const env = { OPENCLAW_URL: gateway?.url ?? '', OPENCLAW_TOKEN: TOKENS.operator };
    expect(await openclaw(['backup', file, '--passphrase-file', phrase], env)).toMatchObject({ code: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file).includes('a-message-id-in-the-clear')).toBe(false);
    await gateway?.close();
    for (const [args, says] of [
      [[], 'it needs its passphrase'],
      [['--passphrase-file', wrong], 'the passphrase is wrong'],
    ] as const)
      expect(await openclaw(['restore', file, ...args])).toMatchObject({
        code: expect.toSatisfy((code: number) => code !== 0),
        err: expect.stringContaining(says),
      });
    const damaged = readFileSync(file);
    damaged.writeUInt8(damaged.readUInt8(70_000) ^ 1, 70_000);
    writeFileSync(`${file}.damaged`, damaged);
    expect((await openclaw(['restore', `${file}.damaged`, '--passphrase-file', phrase])).code).not.toBe(0);
    // What has been unsealed by then does not stay.
    expect(readdirSync(folder).filter((name) => name.includes('.restored'))).toEqual([]);
    expect(await openclaw(['restore', file, '--passphrase-file', phrase])).toMatchObject({ code: 0 });
    expect(read('SELECT message_id FROM messages')).toBe('a-message-id-in-the-clear');
  });

  it('refuses one that could be guessed', async () => {
    const phrase = join(folder, 'phrase');
    writeFileSync(phrase, 'too short\n');
    expect(await openclaw(['backup', file, '--passphrase-file', phrase])).toMatchObject({
      err: expect.stringContaining('fewer than 12 characters'),
    });
  });
});

describe('openclaw backup', () => {
  it('[I-70] copies store and uploads of a running gateway, and restore puts them back', async () => {
    await start();
    await say('one');
    const mediaId = await upload('a long letter '.repeat(20_000));
    const { out, code } = await backUp();
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/1 uploaded files, \d+ bytes\nhead of the audit trail: \d+:/),
    ]);
    const status = await fetch(`${gateway?.url}/admin/v1/status`, {
      headers: { authorization: `Bearer ${TOKENS.operator}` },
    });
    const { store } = (await status.json()) as { store: { last_backup_at?: number } };
    expect(store.last_backup_at).toBeGreaterThan(Date.now() - 60_000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const manifest = await readManifest();
    expect(manifest).toMatchObject({ format: 1, counts: { messages: 1, media: 1 }, missing: [] });
    expect(manifest.files.map(({ name }) => name)).toEqual(['gateway.db', `media/${mediaId}`]);
    await say('lost');
    await gateway?.close();
    rmSync(join(folder, 'media'), { recursive: true });

    const restored = await openclaw(['restore', file]);
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('the database of before is ') });
    expect([read('SELECT count(*) FROM messages'), read('SELECT message_id FROM messages')]).toEqual([1, 'one']);
    const kept = readdirSync(folder).find((name) => name.includes('before-restore') && !name.endsWith('-wal'));
    expect(kept).toBeDefined();
    await start();
    const answer = await fetch(`${gateway?.url}/media/${mediaId}`, {
      headers: { authorization: `Bearer ${TOKENS.operator}` },
    });
    expect((await answer.text()).length).toBe(280_000);
    const verdict = await openclaw(['audit', 'verify', '--known', `${manifest.audit.entry}:${manifest.audit.hash}`], {
      OPENCLAW_URL: gateway?.url ?? '',
      OPENCLAW_TOKEN: TOKENS.operator,
    });
    expect(verdict.code).toBe(0);
    await say('two');
  });

  it('[I-70] is for operators of all tenants with admin:write, one at a time, and leaves nothing', async () => {
    await start(withTokens);
    const post = (token: string) =>
      fetch(`${gateway?.url}/admin/v1/backup`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    for (const token of [TOKENS.stranger, TOKENS.operator, TOKENS.reader]) {
      const refused = await post(token);
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'FORBIDDEN']);
    }
    await gateway?.close();
    await start();
    const [one, other] = await Promise.all([post(TOKENS.operator), post(TOKENS.operator)]);
    const [made, refused] = [one, other].toSorted((a, b) => a.status - b.status) as [Response, Response];
    expect([made.status, refused.status]).toEqual([200, 409]);
    expect(await refused.json()).toMatchObject({
      ...{ title: 'Conflict', status: 409, code: 'CONFLICT' },
      detail: 'Another backup is being made; try again when it is complete',
    });
    await made.arrayBuffer();
    await expect.poll(() => readdirSync(folder).filter((name) => name.includes('backup-'))).toEqual([]);
    await gateway?.close();
    await start(OPERATOR, 'sqlite::memory:');
    expect((await post(TOKENS.operator)).status).toBe(403);
  });

  it('[I-70] ends with a client that leaves while the store is copied, and the next one can be made', async () => {
    await start();
    const store = gateway!.app.get(SqliteStore);
    const { promise: left, resolve: notice } = Promise.withResolvers<void>();
    vi.spyOn(store, 'copy').mockImplementationOnce(async (signal) => {
      signal?.addEventListener('abort', () => notice());
      leave.abort();
      await left;
      return store.copy();
    });
    const leave = new AbortController();
    const headers = { authorization: `Bearer ${TOKENS.operator}` };
    const request = fetch(`${gateway?.url}/admin/v1/backup`, { method: 'POST', headers, signal: leave.signal });
    await expect(request).rejects.toThrow('aborted');
    await left;
    await expect.poll(async () => (await backUp()).code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('backup-'))).toEqual([]);
  });

  it('[I-70] ends with the gateway, which waits until the copy is removed', async () => {
    await start();
    const store = gateway!.app.get(SqliteStore);
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let isRemoved = false;
    vi.spyOn(store, 'copy').mockImplementationOnce(async (signal) => {
      const copy = await store.copy();
      begin();
      if (signal) await once(signal, 'abort');
      const remove = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        await copy.remove();
        isRemoved = true;
      };
      return { ...copy, remove };
    });
    const headers = { authorization: `Bearer ${TOKENS.operator}` };
    const response = fetch(`${gateway?.url}/admin/v1/backup`, { method: 'POST', headers }).catch(() => 'cut');
    await begun;
    await gateway?.close();
    expect([isRemoved, await response]).toEqual([true, 'cut']);
  });

  it('[I-70] leaves no copy of a process that was killed', async () => {
    for (const name of ['gateway.db.backup-0badcafe', 'gateway.db.backup-0badcafe-journal', 'other.db.backup-1'])
      writeFileSync(join(folder, name), '');
    await start();
    expect(readdirSync(folder).filter((name) => name.includes('backup-'))).toEqual(['other.db.backup-1']);
  });

  it('[I-71] goes on while messages are stored, whose acknowledgements hardly wait', async () => {
    await start();
    for (let n = 0; n < 20; n++) await say(`before-${n}`);
    const store = gateway!.app.get(SqliteStore);
    let isOver = false;
    const delays: number[] = [];
    const writer = (async () => {
      for (let n = 0; !isOver; n++) {
        const from = performance.now();
        await store.accept(aMessage({ messageId: `w-${n}` }), GENEROUS_LIMITS);
        delays.push(performance.now() - from);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect((await backUp()).code).toBe(0);
    isOver = true;
    await writer;
    expect(delays.length).toBeGreaterThan(0);
    const { counts } = await readManifest();
    expect(counts['messages']).toBeGreaterThanOrEqual(20);
    expect(counts['messages']).toBeLessThanOrEqual(20 + delays.length);
  });
});

describe('openclaw restore', () => {
  it('[I-72] refuses while a gateway runs, and what is damaged, incomplete or not a backup; then nothing has changed', async () => {
    await start();
    await say('one');
    await backUp();
    const running = await openclaw(['restore', file]);
    expect(running).toMatchObject({ code: 1, err: expect.stringContaining('is in use by the process') });
    await gateway?.close();
    gateway = undefined;
    const before = hashOf(path);
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    changed[5_000] = (changed[5_000] ?? 0) ^ 1;
    for (const [bytes, reason] of [
      [whole.subarray(0, whole.length - 1_024), 'incomplete'],
      [whole.subarray(0, 9_000), 'incomplete'],
      [changed, 'damaged'],
      [Buffer.alloc(20_000, 7), 'not a backup'],
      [Buffer.alloc(0), 'incomplete'],
    ] as const) {
      writeFileSync(file, bytes);
      expect(await openclaw(['restore', file])).toMatchObject({ code: 1, err: expect.stringContaining(reason) });
      expect(hashOf(path)).toBe(before);
    }
    expect(readdirSync(folder).filter((name) => name.includes('restored'))).toEqual([]);
    expect((await openclaw(['restore', join(folder, 'none.tar')])).code).toBe(1);
    expect((await openclaw(['restore'])).code).toBe(2);
  });

  it('[I-73] sends nothing again that was under way when the copy was made', async () => {
    await start({ ...OPERATOR, 'agent.concurrency': 1 });
    const store = gateway!.app.get(SqliteStore);
    const principal = 'channel:pigeon';
    const client = { tenant: 'default', principal, clientId: 'pigeon' };
    const message = (messageId: string) => {
      const { payload, ...rest } = aMessage({ messageId, client });
      return { ...rest, payload };
    };
    await store.accept(message('m-1'), GENEROUS_LIMITS);
    await store.accept(message('m-2'), GENEROUS_LIMITS);
    const lease = (await store.takeAccount('pigeon', 'r_1', 60_000))!;
    await store.addNote(lease, {
      ...{ replyTo: 'note-1', number: 0, state: 'waiting', place: '{"chat":"5001"}', content: '[]', doubts: 0 },
      ...{ notBefore: 0, deadline: 0, createdAt: 1 },
    });
    await store.addInbox(lease, [
      { messageId: 'pigeon:9', chat: '5001', place: '{}', update: '{}', sentAt: 1, receivedAt: 1 },
    ]);
    await backUp();
    await gateway?.close();
    gateway = undefined;
    const done = JSON.parse((await openclaw(['restore', file, '--json'])).out) as { settled: Record<string, number> };
    expect(done.settled).toMatchObject({ inbox: 1, notes: 1 });
    expect(read('SELECT count(*) FROM queue')).toBe(0);
    expect(read('SELECT count(*) FROM inbox')).toBe(0);
    expect(read("SELECT count(*) FROM outbox WHERE state = 'dead' AND reason LIKE 'restored%'")).toBe(1);
    const reopened = new SqliteStore(`sqlite:${path}`, new SystemClock(), new SilentLogs());
    await reopened.open();
    expect(await verifyAuditTrail(reopened)).toMatchObject({ kind: 'intact' });
    await reopened.close();
  });

  it('[I-72] puts a backup to a place where nothing is', async () => {
    await start();
    await say('one');
    await backUp();
    await gateway?.close();
    gateway = undefined;
    path = join(folder, 'elsewhere', 'gateway.db');
    const { code, out } = await openclaw(['restore', file]);
    expect([code, out.includes('of before')]).toEqual([0, false]);
    expect([existsSync(path), statSync(path).mode & 0o777]).toEqual([true, 0o600]);
    expect(read('SELECT count(*) FROM messages')).toBe(1);
  });
});

function hashOf(of: string): string {
  return createHash('sha256').update(readFileSync(of)).digest('hex');
}
