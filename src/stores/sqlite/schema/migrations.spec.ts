import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { readValue, useDatabaseFile } from '../../../testing/database-file.js';
import { verifyAuditChain } from '../../../core/audit/audit-chain.js';
import { canonicalise } from '../../../core/store/canonical-json.js';
import { SilentLogs } from '../../../core/telemetry/logs.js';
import { aMessage, GENEROUS_LIMITS, ManualClock } from '../../../testing/index.js';
import { AuditTrail } from '../sql/audit-trail.js';
import { ChannelOperations } from '../sql/channel-operations.js';
import { openDatabase } from '../file/database.js';
import { SqliteStore } from '../index.js';
import { MediaOperations } from '../sql/media-operations.js';
import { MemoryOperations } from '../sql/memory-operations.js';
import { MIGRATIONS, type Migration } from '../schema/migrations.js';

let folder: string;
let path: string;
useDatabaseFile((file) => ({ folder, path } = file));

/** The newest version, and the one after the migrations of these tests. */
const NEWEST = MIGRATIONS.length;
const NEXT = NEWEST + 1;

const second: Migration = {
  version: NEXT,
  up: (database) => database.exec('CREATE TABLE later (x); INSERT INTO later VALUES (1)'),
};
const failing: Migration = {
  version: NEXT,
  up(database) {
    database.exec('CREATE TABLE later (x)');
    throw new Error('the migration fails');
  },
};

describe('migrations', () => {
  it('are numbered without gaps', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it('migrate a new database to the newest version without a backup copy', () => {
    const opened = openDatabase(path, [...MIGRATIONS, second]);
    expect(opened.migrated).toEqual([...MIGRATIONS.map(({ version }) => version), NEXT]);
    opened.close();
    expect(existsSync(`${path}.before-v${NEXT}`)).toBe(false);
    const again = openDatabase(path, [...MIGRATIONS, second]);
    expect(again.migrated).toEqual([]);
    again.close();
  });

  it('keep a copy of the previous database', () => {
    const old = openDatabase(path);
    old.database.exec("INSERT INTO participants VALUES (1, 'alice')");
    old.close();
    const opened = openDatabase(path, [...MIGRATIONS, second]);
    expect(opened.migrated).toEqual([NEXT]);
    opened.close();
    expect(readValue(path, 'SELECT x FROM later')).toBe(1);
    expect(readValue(`${path}.before-v${NEXT}`, 'SELECT sender FROM participants')).toBe('alice');
    expect(readValue(`${path}.before-v${NEXT}`, 'PRAGMA user_version')).toBe(NEWEST);
    expect(existsSync(`${path}.before-v${NEXT}.part`)).toBe(false);
  });

  it('change nothing when one fails, and can be retried', () => {
    openDatabase(path).close();
    expect(() => openDatabase(path, [...MIGRATIONS, failing])).toThrow('the migration fails');
    expect(readValue(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'")).toBe(0);
    expect(readValue(path, 'PRAGMA user_version')).toBe(NEWEST);
    openDatabase(path, [...MIGRATIONS, second]).close();
    expect(readValue(path, 'PRAGMA user_version')).toBe(NEXT);
  });

  it('leave a database of a newer gateway, which has only added to it, to be served after a rollback', async () => {
    openDatabase(path, [...MIGRATIONS, second]).close();
    const store = new SqliteStore(`sqlite:${path}`, new ManualClock(), new SilentLogs());
    await store.open();
    expect(await store.accept(aMessage(), GENEROUS_LIMITS)).toMatchObject({ kind: 'accepted' });
    await store.close();
    expect(readValue(path, 'PRAGMA user_version')).toBe(NEXT);

    const again = openDatabase(path, [...MIGRATIONS, second]);
    expect(again.migrated).toEqual([]);
    expect(again.database.prepare('SELECT x FROM later').get()).toEqual({ x: 1 });
    expect(again.database.prepare('SELECT count(*) AS rows FROM messages').get()).toEqual({ rows: 1 });
    again.close();
  });

  it('refuse a database that needs a newer gateway, and name the copy to restore', () => {
    openDatabase(path).close();
    const third: Migration = { version: NEXT + 1, up: () => {} };
    openDatabase(path, [...MIGRATIONS, { ...second, contracts: true }, third]).close();
    expect(() => openDatabase(path)).toThrow(
      `the database ${path} has schema version ${NEXT + 1}, which needs a gateway that knows version ${NEXT}, and this ` +
        `one knows versions up to ${NEWEST}: start the newer gateway that wrote it, or restore the copy ` +
        `${path}.before-v${NEXT}`,
    );
    expect(readValue(path, 'SELECT x FROM later')).toBe(1);
    const served = openDatabase(path, [...MIGRATIONS, { ...second, contracts: true }]);
    expect(served.migrated).toEqual([]);
    served.close();
    const copy = openDatabase(`${path}.before-v${NEXT}`);
    expect(copy.migrated).toEqual([]);
    copy.close();
  });
});

/** The first version of a released gateway, which older ones need not serve. */
const FIRST_RELEASED = 29;

describe('migrations after the first release', () => {
  it('only add to what is there, unless they say that they do not', () => {
    for (const migration of MIGRATIONS.slice(FIRST_RELEASED)) {
      const file = join(folder, `${migration.version}.db`);
      const { database, close } = openDatabase(file, MIGRATIONS.slice(0, migration.version - 1));
      const before = readColumns(database);
      migration.up(database);
      const after = readColumns(database);
      close();
      const isKept = [...before].every(([name, column]) => after.get(name)?.text === column.text);
      const tables = new Set([...before.values()].map(({ table }) => table));
      const added = [...after].filter(([name, { table }]) => tables.has(table) && !before.has(name));
      const isOptional = added.every(([, column]) => column.isOptional);
      expect([migration.version, isKept && isOptional]).toEqual([migration.version, !migration.contracts]);
    }
  });

  it('may add columns: what inserts rows names those that it fills', async () => {
    const files = (await readdir(import.meta.dirname)).filter((name) => !/schema\.ts$|\.spec\.ts$/.test(name));
    const texts = await Promise.all(files.map((name) => readFile(join(import.meta.dirname, name), 'utf8')));
    expect(texts.join('\n').match(/INSERT (?:OR \w+ )?INTO \w+ (?:VALUES|SELECT).*/g)).toBeNull();
  });
});

/** The columns of all tables by `table.column`. */
function readColumns(database: DatabaseSync) {
  const rows = database
    .prepare(
      `SELECT t.name AS "table", c.name, c.type, c."notnull" AS is_needed, c.dflt_value AS value, c.pk
       FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'`,
    )
    .all() as { table: string; name: string; type: string; is_needed: number; value: string | null; pk: number }[];
  return new Map(
    rows.map(({ table, name, is_needed, value, ...rest }) => [
      `${table}.${name}`,
      { table, isOptional: is_needed === 0 || value !== null, text: JSON.stringify([is_needed, value, rest]) },
    ]),
  );
}

describe('the migration to version 2', () => {
  /** Creates a database of version 1 with a change of settings and a decision in its audit trail. */
  function makeVersion1(): void {
    const { database, close } = openDatabase(path, MIGRATIONS.slice(0, 1));
    database.exec(`
      INSERT INTO approvals (approval_id, tenant, session_id, message_ref, call_id, tool, arguments, arguments_sha256, expires_at)
        VALUES ('a_1', 'acme', 's_1', 'm_1', 'c_1', 'test.pay', '{}', '00', 5);
      INSERT INTO audit (at, actor, action, before, after) VALUES
        (1, 'ann', 'settings.change', '{"x":1}', '{"x":2}'),
        (2, 'bob', 'approval.decide', 'null', '{"approval_id":"a_1","decision":"allow"}');
      INSERT INTO memories (memory_id, tenant, collection, text, created_at) VALUES ('c_1', 'acme', 's_1', '我的猫叫小白', 1);
    `);
    close();
  }

  it('adds the rows of the audit trail to the chain, in order', async () => {
    makeVersion1();
    const { database, migrated, close } = openDatabase(path);
    expect(migrated).toEqual(MIGRATIONS.slice(1).map(({ version }) => version));
    const trail = new AuditTrail(database);
    const rows = trail.list({ order: 'oldest', limit: 100 });
    expect(rows).toMatchObject([
      {
        sequence: 1,
        at: 1,
        tenant: '*',
        actor: 'ann',
        action: 'settings.change',
        target: 'settings',
        before: '{"x":1}',
      },
      { sequence: 2, at: 2, tenant: 'acme', actor: 'bob', action: 'approval.decide', target: 'a_1', before: 'null' },
      { sequence: 3, actor: 'gateway', action: 'audit.rewrite' },
    ]);
    expect(JSON.parse(rows[2]?.before ?? '')).toEqual({ entry: 2, hash: expect.any(String) });
    expect(await verifyAuditChain(rows, trail.readHead())).toEqual({ kind: 'intact', rows: 3, oldest: 1 });
    close();
    expect(readValue(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'audit_1'")).toBe(0);
  });

  it('finds the memories of version 1 by any part of their text', () => {
    makeVersion1();
    const { database, close } = openDatabase(path);
    const memories = new MemoryOperations(database);
    for (const words of [['小白'], ['猫']])
      expect(memories.search({ tenant: 'acme', collections: ['s_1'], words, limit: 1 })).toHaveLength(1);
    database.exec("DELETE FROM memories WHERE memory_id = 'c_1'");
    close();
    expect(readValue(path, 'SELECT count(*) FROM memory_words')).toBe(0);
  });

  it('keeps the names of messages and all other data', () => {
    makeVersion1();
    const instance = readValue(path, 'SELECT instance FROM gateway');
    openDatabase(path).close();
    expect(readValue(path, 'SELECT name FROM epochs')).toBe(instance);
    expect(readValue(path, 'SELECT tenant FROM approvals')).toBe('acme');
    expect(readValue(`${path}.before-v2`, 'SELECT count(*) FROM audit')).toBe(2);
  });
});

describe('the migration to version 6', () => {
  it('finds the uploads of a principal and the cursors of a session by an index, in a store of version 5', () => {
    const old = openDatabase(path, MIGRATIONS.slice(0, 5));
    old.database.exec(`INSERT INTO media VALUES ('f_1', 'acme', 'ann', NULL, 'text/plain', 7, 1);
      INSERT INTO cursors VALUES (1, 2, 3)`);
    old.close();
    const { database, close } = openDatabase(path);
    expect(new MediaOperations(database).sum('acme', 'ann', 0)).toEqual({ bytes: 7, oldestAt: 1 });
    const planOf = (sql: string) => String(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).get()?.['detail']);
    expect(
      planOf("SELECT sum(size_bytes) FROM media WHERE tenant = 'a' AND principal = 'b' AND created_at > 1"),
    ).toContain('media_by_owner');
    expect(planOf('SELECT client FROM cursors WHERE session = 2')).toContain('cursors_by_session');
    close();
  });
});

describe('the migration to version 10', () => {
  it('adds the tables of the channels to a store of version 9, and keeps what it has', () => {
    const old = openDatabase(path, MIGRATIONS.slice(0, 9));
    old.database.exec("INSERT INTO settings VALUES ('agent.name', '\"ada\"')");
    old.close();
    const { database, migrated, close } = openDatabase(path);
    expect(migrated).toEqual(MIGRATIONS.slice(9).map(({ version }) => version));
    const channels = new ChannelOperations(database, new AuditTrail(database));
    const lease = channels.take(1_000, 'pigeon', 'replica-1', 10_000)!;
    const entry = { messageId: 'pigeon:1', chat: 'ann', place: '{}', update: '{}', sentAt: 1, receivedAt: 1 };
    expect(channels.addInbox(lease, [entry])).toBe(true);
    close();
    expect(readValue(path, 'SELECT message_id FROM inbox')).toBe('pigeon:1');
    expect(readValue(path, 'SELECT value FROM settings')).toBe('"ada"');
  });
});

describe('the migration to version 23', () => {
  const INSERT = 'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
  /** Creates a database of version 22 whose trail begins after the deleted rows 1 to 4. */
  function makeVersion22(change = ''): void {
    const { database, close } = openDatabase(path, MIGRATIONS.slice(0, 22));
    const insert = database.prepare(INSERT);
    const row = { at: 7, tenant: '*', actor: 'ann', action: 'channel.pair', target: 'telegram', before: 'null' };
    let previousHash = 'a'.repeat(64);
    for (let sequence = 5; sequence <= 7; sequence++) {
      const after = '{"sender":"alice-5001"}';
      const hash = createHash('sha256')
        .update(canonicalise({ ...row, sequence, after, previousHash }))
        .digest('hex');
      insert.run(sequence, 7, '*', 'ann', row.action, row.target, row.before, after, previousHash, hash);
      previousHash = hash;
    }
    database.prepare('UPDATE gateway SET audit_sequence = 7, audit_hash = ?').run(previousHash);
    database.exec(change);
    close();
  }

  /** Opens the database and returns the rows of its trail, which verifies. */
  async function openTrail() {
    const { database, close } = openDatabase(path);
    const trail = new AuditTrail(database);
    const rows = trail.list({ order: 'oldest', limit: 100 });
    expect(await verifyAuditChain(rows, trail.readHead())).toEqual({ kind: 'intact', rows: 9, oldest: 5 });
    close();
    return rows;
  }

  it('keeps the numbers of the rows, says what their head was, and names people by an ID', async () => {
    makeVersion22();
    const oldHash = readValue(path, 'SELECT audit_hash FROM gateway');
    const rows = await openTrail();
    expect(rows.map(({ action }) => action)).toEqual([
      ...['channel.pair', 'channel.pair', 'channel.pair'],
      ...['audit.retention', 'audit.rewrite'],
    ]);
    expect(rows[0]).toMatchObject({ sequence: 5, at: 7, actor: 'ann', person: { sender: 'alice-5001' } });
    expect(JSON.stringify(rows.map(({ body }) => body))).not.toContain('alice');
    expect(JSON.parse(rows.at(-1)?.before ?? '')).toEqual({ entry: 7, hash: oldHash });
  });

  it.each([
    ["UPDATE audit SET actor = 'eve' WHERE sequence = 6", 6],
    ['UPDATE gateway SET audit_hash = 0', 8],
  ])('says where the old chain was broken: %s', async (change, brokenAt) => {
    makeVersion22(change);
    const rows = await openTrail();
    expect(JSON.parse(rows.at(-1)?.before ?? '')).toMatchObject({ broken_at: brokenAt });
  });

  it('lists a trail by an index, whatever the filters are', () => {
    const { database, close } = openDatabase(path);
    const plans = ["actor = 'a'", "action = 'a'", "tenant = 'a'"].map((condition) => {
      const sql = `SELECT body FROM audit WHERE ${condition} ORDER BY sequence DESC LIMIT 1`;
      return String(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).get()?.['detail']);
    });
    expect(plans.filter((plan) => !plan.includes('USING INDEX'))).toEqual([]);
    close();
  });
});

describe('an audit trail that was changed by hand', () => {
  it('does not verify', async () => {
    const { database, close } = openDatabase(path);
    const trail = new AuditTrail(database);
    const note = {
      tenant: '*',
      actor: 'ann',
      action: 'settings.change',
      target: 'settings',
      before: '{}',
      after: '{}',
    };
    for (let at = 1; at <= 3; at++) trail.add(at, note);
    const verify = () => verifyAuditChain(trail.list({ order: 'oldest', limit: 100 }), trail.readHead());
    expect(await verify()).toEqual({ kind: 'intact', rows: 3, oldest: 1 });
    database.exec("UPDATE audit SET body = replace(body, 'ann', 'eve') WHERE sequence = 2");
    expect(await verify()).toEqual({ kind: 'broken', sequence: 2, fault: 'changed' });
    database.exec('DELETE FROM audit WHERE sequence = 2');
    expect(await verify()).toEqual({ kind: 'broken', sequence: 2, fault: 'missing' });
    close();
  });
});
