import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { ADMIN_SCHEMA } from './admin-schema.js';
import { failpoint } from '../../../core/failpoints/failpoint.js';
import { AUDIT_SCHEMA, chainFirstRows, chainSecondRows } from './audit-schema.js';
import { toIndexText } from '../sql/memory-words.js';
import { SCHEMA_21, STATES_SCHEMA } from './canvas-schema.js';
import { TOKEN_SCHEMA } from '../sql/credential-operations.js';
import {
  SCHEMA_10,
  SCHEMA_11,
  SCHEMA_12,
  SCHEMA_13,
  SCHEMA_14,
  SCHEMA_16,
  HELD_CHATS_SCHEMA,
  JOINED_SCHEMA,
} from './channel-schema.js';
import { NODE_SCHEMA } from './node-schema.js';
import { SCHEMA_18 } from './cron-schema.js';
import { prepare, required } from '../sql/statement.js';
import { SIGN_IN_SCHEMA } from '../sql/sign-in-operations.js';
import { TAILSCALE_SCHEMA } from '../sql/tailscale-operations.js';
import { USAGE_SCHEMA } from '../sql/usage-operations.js';
import {
  SCHEMA_1,
  SCHEMA_2,
  SCHEMA_3,
  SCHEMA_4,
  SCHEMA_5,
  SCHEMA_6,
  SCHEMA_7,
  SCHEMA_8,
  SCHEMA_9,
  SCHEMA_15,
  SCHEMA_20,
  DECIDER_SCHEMA,
  REF_KEY_SCHEMA,
} from './schema.js';

/** A migration of the schema from the previous version to `version`. */
export interface Migration {
  readonly version: number;
  /**
   * True if a gateway that does not know it cannot serve the result, for example because it removes a column. It comes a
   * release after the first gateway that does without, so that a rollback by one release needs no backup. Others only add:
   * tables, indexes, columns that are nullable or have a default.
   */
  readonly contracts?: true;
  up(database: DatabaseSync): void;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    up(database) {
      database.exec(SCHEMA_1);
      database
        .prepare(
          'INSERT INTO gateway (one, instance, generation, swept_ord, checked_at, secret) VALUES (1, ?, 0, 0, 0, ?)',
        )
        .run(randomBytes(6).toString('hex'), randomBytes(32));
    },
  },
  {
    version: 2,
    up(database) {
      database.exec(SCHEMA_2);
      chainFirstRows(database);
      database.exec('DROP TABLE audit_1');
      indexMemories(database);
    },
  },
  {
    version: 3,
    up(database) {
      database.exec(SCHEMA_3);
    },
  },
  {
    version: 4,
    up(database) {
      database.exec(SCHEMA_4);
    },
  },
  {
    version: 5,
    up(database) {
      database.exec(SCHEMA_5);
    },
  },
  {
    version: 6,
    up: (database) => database.exec(SCHEMA_6),
  },
  {
    version: 7,
    up: (database) => database.exec(SCHEMA_7),
  },
  { version: 8, up: (database) => database.exec(SCHEMA_8) },
  { version: 9, up: (database) => database.exec(SCHEMA_9) },
  { version: 10, up: (database) => database.exec(SCHEMA_10) },
  { version: 11, up: (database) => database.exec(SCHEMA_11) },
  { version: 12, up: (database) => database.exec(SCHEMA_12) },
  { version: 13, up: (database) => database.exec(SCHEMA_13) },
  { version: 14, up: (database) => database.exec(SCHEMA_14) },
  { version: 15, up: (database) => database.exec(SCHEMA_15) },
  { version: 16, up: (database) => database.exec(SCHEMA_16) },
  { version: 17, up: (database) => database.exec(NODE_SCHEMA) },
  { version: 18, up: (database) => database.exec(SCHEMA_18) },
  { version: 19, up: (database) => database.exec(TAILSCALE_SCHEMA) },
  { version: 20, up: (database) => database.exec(SCHEMA_20) },
  { version: 21, up: (database) => database.exec(SCHEMA_21) },
  { version: 22, up: (database) => database.exec(`${HELD_CHATS_SCHEMA}${JOINED_SCHEMA}`) },
  {
    version: 23,
    up(database) {
      database.exec(AUDIT_SCHEMA);
      chainSecondRows(database);
    },
  },
  { version: 24, up: (database) => database.exec(STATES_SCHEMA) },
  { version: 25, up: (database) => database.exec(TOKEN_SCHEMA) },
  { version: 26, up: (database) => database.exec(SIGN_IN_SCHEMA) },
  { version: 27, up: (database) => database.exec('ALTER TABLE messages ADD COLUMN trace TEXT') },
  { version: 28, up: (database) => database.exec(ADMIN_SCHEMA) },
  { version: 29, up: (database) => database.exec(USAGE_SCHEMA) },
  { version: 30, up: (database) => database.exec(DECIDER_SCHEMA) },
  { version: 31, up: (database) => database.exec(REF_KEY_SCHEMA) },
];

/** Fills the index of words of version 2. */
function indexMemories(database: DatabaseSync): void {
  const insert = prepare(database, 'INSERT INTO memory_words (rowid, text) VALUES (?, ?)');
  const memories = prepare<{ memory: number; text: string }>(database, 'SELECT memory, text FROM memories');
  for (const { memory, text } of memories.all()) insert.run(memory, toIndexText(text));
}

/** "OCGW" in the file's header distinguishes this database from those of other programs. */
const APPLICATION_ID = 0x4f434757;

/**
 * Migrates the schema, one transaction per version. Before each migration of a database that was in use, it saves a
 * copy beside it (`gateway.db.before-v2`). A new database gets all versions in one transaction: each waits for the disk.
 * @param path undefined for a database in memory, which needs no copies
 * @returns the versions that were applied
 * @throws Error, without any change, if the database needs a newer gateway, or belongs to another program
 */
export function migrate(database: DatabaseSync, path: string | undefined, migrations: readonly Migration[]): number[] {
  const current = readVersion(database, path, migrations);
  const missing = migrations.filter(({ version }) => version > current);
  if (current === 0 && missing.length > 0) apply(database, missing);
  else
    for (const migration of missing) {
      if (path !== undefined) keepCopy(database, `${path}.before-v${migration.version}`);
      apply(database, [migration]);
    }
  return missing.map(({ version }) => version);
}

/**
 * Returns the version of a database's schema; 0 for an empty one. After a rollback it may be newer than those of this gateway,
 * which serves it for as long as newer versions have only added to it.
 * @throws Error if the database needs a newer gateway, or belongs to another program
 */
export function readVersion(
  database: DatabaseSync,
  path: string | undefined,
  migrations: readonly Migration[],
): number {
  const current = pragma(database, 'user_version');
  const newest = migrations.at(-1)?.version ?? 0;
  refuseForeign(database, path, current);
  const needed = current <= newest ? 0 : readNeededVersion(database);
  if (needed <= newest) return current;
  throw new Error(
    `the database ${path} has schema version ${current}, which needs a gateway that knows version ${needed}, and this one ` +
      `knows versions up to ${newest}: start the newer gateway that wrote it, or restore the copy ${path}.before-v${needed}`,
  );
}

/** Returns the version that a gateway must know to serve a database: later ones have only added to it. */
function readNeededVersion(database: DatabaseSync): number {
  const sql = "SELECT count(*) AS tables FROM sqlite_schema WHERE name = 'contractions'";
  if (required(prepare<{ tables: number }>(database, sql).get()).tables === 0) return 0;
  return required(prepare<{ version: number }>(database, 'SELECT max(version) AS version FROM contractions').get())
    .version;
}

/** Notes in a database that gateways need a version to serve it. */
function noteContraction(database: DatabaseSync, version: number): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS contractions (version INTEGER PRIMARY KEY); INSERT INTO contractions (version) VALUES (${version})`,
  );
}

function refuseForeign(database: DatabaseSync, path: string | undefined, current: number): void {
  const { tables } = required(
    prepare<{ tables: number }>(database, 'SELECT count(*) AS tables FROM sqlite_schema').get(),
  );
  const foreign = pragma(database, 'application_id') !== APPLICATION_ID;
  if (foreign && (current > 0 || tables > 0)) {
    throw new Error(`${path} is a database of another program: set store.url to another file`);
  }
}

/** Applies migrations in one transaction. */
function apply(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations) {
      migration.up(database);
      if (migration.contracts) noteContraction(database, migration.version);
      database.exec(`PRAGMA user_version = ${migration.version}`);
    }
    failpoint('migrate.mid');
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Saves a copy. It is renamed when complete, so a crash leaves no partial copy under the final name. */
function keepCopy(database: DatabaseSync, path: string): void {
  const unfinished = `${path}.part`;
  rmSync(unfinished, { force: true });
  database.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, path);
}

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return required(prepare<Record<typeof name, number>>(database, `PRAGMA ${name}`).get())[name];
}
