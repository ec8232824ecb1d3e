import { copyFile, rename } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { useDatabaseFile } from '../../testing/database-file.js';
import { makeStoreInMemory } from '../../../test/support/store-in-memory.js';
import type { Claim } from '../../core/store/index.js';
import { SilentLogs, type Logs } from '../../core/telemetry/logs.js';
import { aMessage, anEnd, aPayload, aSession, GENEROUS_LIMITS, KeptLogs, ManualClock } from '../../testing/index.js';
import { describeStoreContract } from '../../testing/store.contract.js';
import type { StartCheck } from './file/background-check.js';
import { SqliteStore } from './index.js';
import { MAX_CLAIMED_LENGTH } from './sql/queue-operations.js';

const UNAVAILABLE = { code: 'STORE_UNAVAILABLE', retryable: true };

let path: string;
useDatabaseFile((file) => ({ path } = file));

function makeStore(logs: Logs = new SilentLogs(), clock = new ManualClock()): SqliteStore {
  return new SqliteStore(`sqlite:${path}`, clock, logs);
}

async function openStore(logs?: Logs, clock?: ManualClock): Promise<SqliteStore> {
  const store = makeStore(logs, clock);
  await store.open();
  return store;
}

// With `LONG` it keeps it on a file and in its worker thread, in `sqlite.worker.spec.ts`.
describeStoreContract('SqliteStore keeps the store contract', makeStoreInMemory);

describe('SqliteStore', () => {
  it('refuses an address of another engine', () => {
    for (const url of ['sqlite:', 'postgres://localhost/x', 'data/gateway.db']) {
      const make = () => new SqliteStore(url, new ManualClock(), new SilentLogs());
      expect(make).toThrow(`store.url must be sqlite:PATH or sqlite::memory:, not ${url}`);
    }
  });

  it('has a readable description of its place', () => {
    expect(makeStore().label).toBe(`sqlite:${path}`);
    expect(makeStore().isShared).toBe(false);
  });

  it('checks the file beside its work after an unclean stop only, and reports damage', async () => {
    await (await openStore()).close();
    const checked: string[] = [];
    const reopen = async (finding: string | undefined) => {
      const logs = new KeptLogs();
      const check: StartCheck = (place) => {
        checked.push(place);
        return { finding: Promise.resolve(finding), stop() {} };
      };
      const store = new SqliteStore(`sqlite:${path}`, new ManualClock(), logs, undefined, undefined, check);
      await store.open();
      await store.accept(aMessage(), GENEROUS_LIMITS);
      return { store, logs };
    };

    const clean = await reopen('never asked');
    expect(checked).toEqual([]);
    await copyFile(`${path}-wal`, `${path}-left`);
    await clean.store.close();
    await rename(`${path}-left`, `${path}-wal`);

    const damaged = await reopen('row 3 is missing');
    await damaged.store.close();
    expect(checked).toEqual([path]);
    expect(damaged.logs.lines).toContainEqual(expect.stringMatching(/^error .*is damaged \(row 3 is missing\)/));
  });

  it('claims long messages in portions, which are due at once', async () => {
    const clock = new ManualClock();
    const store = await openStore(undefined, clock);
    const payload = aPayload({ content: 'x'.repeat(MAX_CLAIMED_LENGTH / 2) });
    for (const name of ['a', 'b', 'c'])
      await store.accept(aMessage({ session: aSession(name), messageId: name, payload }), GENEROUS_LIMITS);
    const claim = () => store.claim({ replicaId: 'replica-1', limit: 9, leaseMs: 1_000 });
    const [first, second, third] = [await claim(), await claim(), await claim()];
    expect(first.claims.map(({ message }) => message.messageId)).toEqual(['a', 'b']);
    expect(first.nextDueAt).toBe(clock.now());
    expect(second.claims.map(({ message }) => message.messageId)).toEqual(['c']);
    expect([second.nextDueAt, third.claims]).toEqual([undefined, []]);
    await store.close();
  });

  it('works in memory, without a file', async () => {
    const store = new SqliteStore('sqlite::memory:', new ManualClock(), new SilentLogs());
    await store.open();
    expect(await store.accept(aMessage(), GENEROUS_LIMITS)).toMatchObject({ kind: 'accepted' });
    await store.close();
  });

  it('opens a file once, and again after the first store is closed', async () => {
    const first = await openStore();
    await expect(openStore()).rejects.toThrow(`in use by the process ${process.pid}`);
    await first.close();
    await (await openStore()).close();
  });

  it('is unavailable before it is opened and after it was closed', async () => {
    const store = makeStore();
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
    await store.open();
    await store.close();
    await store.close();
    await expect(store.accept(aMessage(), GENEROUS_LIMITS)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('finishes pending calls before it closes', async () => {
    const store = await openStore();
    const accepting = Promise.all(Array.from({ length: 3 }, () => store.accept(aMessage(), GENEROUS_LIMITS)));
    const reading = store.countQueue(0);
    await store.close();
    expect(await accepting).toHaveLength(3);
    expect(await reading).toMatchObject({ running: 0 });
  });

  it('reads a history of long messages in pages of limited size, each message once', async () => {
    const store = await openStore();
    const content = 'x'.repeat(60_000);
    for (let n = 0; n < 10; n++)
      await store.accept(aMessage({ messageId: `m${n}`, payload: aPayload({ content }) }), GENEROUS_LIMITS);
    const found: string[] = [];
    let before: string | undefined;
    for (let more = true; more;) {
      const page = await store.readHistory('s_alice', 10, before);
      expect(page.messages.length).toBeLessThan(5);
      found.unshift(...page.messages.map(({ messageId }) => messageId));
      before = page.messages[0]?.messageRef;
      more = page.more;
    }
    expect(found).toEqual(Array.from({ length: 10 }, (_, n) => `m${n}`));
    await store.close();
  });

  it('leaves no rows of a session that was swept', async () => {
    const store = await openStore();
    const message = aMessage({ receivedAt: 1_000 });
    await store.accept(message, GENEROUS_LIMITS);
    const [claim] = (await store.claim({ replicaId: 'replica-1', limit: 1, leaseMs: 1_000 })).claims;
    await store.finish(
      (claim as Claim).lease,
      anEnd(claim as Claim, { journal: [{ step: 0, kind: 'answer', body: '{}' }] }),
    );
    while (await store.sweep({ framesBefore: 0, dedupeBefore: 2_000, sessionsBefore: 2_000 }));
    await store.close();
    const database = new DatabaseSync(path);
    const rows = (table: string) => database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows'];
    const tables = [
      'sessions',
      'participants',
      'messages',
      'queue',
      'replies',
      'frames',
      'journal',
      'cursors',
      'clients',
    ];
    expect(Object.fromEntries(tables.map((table) => [table, rows(table)]))).toEqual(
      Object.fromEntries(tables.map((table) => [table, 0])),
    );
    database.close();
  });

  it('is unavailable while another process locks the file, recovers automatically, and logs both once', async () => {
    const logs = new KeptLogs();
    const store = await openStore(logs);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.accept(aMessage(), GENEROUS_LIMITS)).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.accept(aMessage(), GENEROUS_LIMITS)).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.check()).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.countQueue(0)).toMatchObject({ queued: 0 });
    other.close();
    await store.check();
    expect(await store.accept(aMessage(), GENEROUS_LIMITS)).toMatchObject({ kind: 'accepted' });
    expect(logs.lines).toEqual([
      'info store open',
      'error the store cannot commit; nothing is accepted until it can',
      'info the store can commit again',
    ]);
    await store.close();
  });

  it('keeps the cause of a failure for the log', async () => {
    const store = await openStore();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.accept(aMessage(), GENEROUS_LIMITS)).rejects.toMatchObject({
      cause: { message: 'database is locked' },
    });
    other.close();
    await store.close();
  });
});
