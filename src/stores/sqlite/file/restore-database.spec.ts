import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OutboxPart } from '../../../core/store/index.js';
import { SilentLogs } from '../../../core/telemetry/logs.js';
import { aClient, aMessage, anEnd, GENEROUS_LIMITS } from '../../../testing/factories.js';
import { ManualClock } from '../../../testing/manual-clock.js';
import { copyDatabase } from './copy-database.js';
import { restoreDatabase } from './restore-database.js';
import { SqliteStore } from '../sqlite.store.js';

let folder: string;
let path: string;
let copy: string;
const clock = new ManualClock();
const driver = aClient({ principal: 'channel:test', clientId: 'test' });
const NOTE: OutboxPart = {
  ...{ replyTo: 'note-1', number: 0, state: 'waiting', place: '{"chat":"5001"}', content: '[]', doubts: 0 },
  ...{ notBefore: 0, deadline: 0, createdAt: 1 },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-'));
  path = join(folder, 'gateway.db');
  copy = join(folder, 'copy.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function open(): Promise<SqliteStore> {
  const store = new SqliteStore(`sqlite:${path}`, clock, new SilentLogs());
  await store.open();
  return store;
}

const restore = (write = async (target: string) => copyFileSync(copy, target)) =>
  restoreDatabase(path, write, () => {}, clock.now());

it('[I-73] ends what waited, confirms what was not delivered, and keeps notes as dead letters', async () => {
  const store = await open();
  for (const messageId of ['answered', 'runs', 'waits'])
    await store.accept(aMessage({ messageId, client: driver }), GENEROUS_LIMITS);
  const { claims } = await store.claim({ replicaId: 'r_1', limit: 1, leaseMs: 60_000 });
  const [first] = claims;
  await store.finish(first!.lease, anEnd(first!));
  await store.claim({ replicaId: 'r_1', limit: 1, leaseMs: 60_000 });
  const lease = (await store.takeAccount('test', 'r_1', 60_000))!;
  await store.addNote(lease, NOTE);
  await store.addInbox(lease, [{ messageId: 'x', chat: '5001', place: '{}', update: '{}', sentAt: 1, receivedAt: 1 }]);
  expect(await store.listResumable(driver, ['test'])).not.toEqual([]);
  copyDatabase(path, copy);
  await store.close();

  const { settled, kept } = await restore();
  expect(settled).toEqual({ messages: 2, inbox: 1, notes: 1, sessions: 1 });
  expect(kept !== undefined && existsSync(kept)).toBe(true);
  const restored = await open();
  expect((await restored.claim({ replicaId: 'r_2', limit: 9, leaseMs: 60_000 })).claims).toEqual([]);
  expect(await restored.listResumable(driver, ['test'])).toEqual([]);
  expect(await restored.listNotes('test')).toEqual([]);
  expect(await restored.listInbox('test')).toEqual([]);
  expect(await restored.listDeadLetters({ limit: 9 })).toMatchObject([{ replyTo: 'note-1' }]);
  const history = await restored.readHistory(first!.message.sessionId, 9);
  expect(JSON.stringify(history)).toContain('cancelled');
  await restored.close();
});

it('[I-72] reads no write-ahead log of the database of before with the pages of the copy', async () => {
  const store = await open();
  await store.accept(aMessage({ messageId: 'one' }), GENEROUS_LIMITS);
  copyDatabase(path, copy);
  for (let n = 0; n < 50; n++) await store.accept(aMessage({ messageId: `later-${n}` }), GENEROUS_LIMITS);
  // A process that was killed leaves its log.
  for (const ending of ['', '-wal', '-shm']) copyFileSync(`${path}${ending}`, join(folder, `killed${ending}`));
  await store.close();
  path = join(folder, 'killed');
  await restore();
  const restored = await open();
  expect(await restored.findMessage({ by: 'id', client: aClient(), messageId: 'later-1' })).toBeUndefined();
  await restored.close();
  expect(readdirSync(folder).filter((name) => name.startsWith('killed.before-restore'))).toHaveLength(2);
});

it('[I-72] changes nothing when the copy cannot be written or is not a database', async () => {
  await (await open()).close();
  await expect(restore(() => Promise.reject(new Error('disk')))).rejects.toThrow('disk');
  await expect(restore(async (target) => writeFileSync(target, 'x'.repeat(9_000)))).rejects.toThrow('damaged');
  expect(readdirSync(folder).filter((name) => name !== 'gateway.db.lock')).toEqual(['gateway.db']);
  const store = await open();
  await expect(restore()).rejects.toThrow('is in use by the process');
  await store.close();
});
