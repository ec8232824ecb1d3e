import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from './database.js';
import { MIGRATIONS, type Migration } from './migrations.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sqlite-'));
  path = join(folder, 'gateway.db');
});
afterEach(() => rm(folder, { recursive: true }));

const second: Migration = {
  version: 2,
  up: (database) => database.exec('CREATE TABLE later (x); INSERT INTO later VALUES (1)'),
};
const failing: Migration = {
  version: 2,
  up(database) {
    database.exec('CREATE TABLE later (x)');
    throw new Error('the migration fails');
  },
};

function read(file: string, sql: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Object.values(database.prepare(sql).get() ?? {})[0];
  } finally {
    database.close();
  }
}

describe('openDatabase', () => {
  it('makes the file and the folders above it, readable for nobody else', async () => {
    const deep = join(folder, 'not', 'there', 'gateway.db');
    openDatabase(deep).close();
    expect((await stat(deep)).mode & 0o077).toBe(0);
    expect((await stat(join(folder, 'not'))).mode & 0o077).toBe(0);
  });

  it('commits in a way that survives a power cut', () => {
    const { database, close } = openDatabase(path);
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('busy_timeout')]).toEqual(['wal', 2, 0]);
    close();
  });

  it('refuses a database that another gateway has open, and names its process', () => {
    const first = openDatabase(path);
    expect(() => openDatabase(path)).toThrow(
      `the database ${path} is in use by the process ${process.pid}: stop that gateway`,
    );
    expect(() => openDatabase(path)).toThrow('in use');
    first.close();
    openDatabase(path).close();
  });

  it('keeps the lock of the one that has it when another was refused', () => {
    const first = openDatabase(path);
    expect(() => openDatabase(path)).toThrow('in use');
    expect(() => openDatabase(path)).toThrow('in use');
    first.database.exec('UPDATE gateway SET checked_at = 1');
    first.close();
  });

  it('lets others read while it is open', () => {
    const opened = openDatabase(path);
    expect(read(path, 'SELECT generation FROM gateway')).toBe(0);
    opened.close();
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    await writeFile(path, 'this is no database, but something that somebody may want to keep');
    expect(() => openDatabase(path)).toThrow(
      /is damaged \(file is not a database\).*Nothing was changed.*restore a backup/,
    );
    expect(await readFile(path, 'utf8')).toBe('this is no database, but something that somebody may want to keep');
  });

  it('refuses a damaged database, and leaves it as it is', async () => {
    const opened = openDatabase(path);
    const insert = opened.database.prepare('INSERT INTO participants VALUES (?, ?)');
    opened.database.exec('BEGIN');
    for (let row = 0; row < 5_000; row++) insert.run(row, `sender ${row}`);
    opened.database.exec('COMMIT');
    opened.close();
    const bytes = await readFile(path);
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20_000);
    await writeFile(path, bytes);
    expect(() => openDatabase(path)).toThrow('is damaged');
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('refuses a database of another program', () => {
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE theirs (x)');
    foreign.close();
    expect(() => openDatabase(path)).toThrow(`${path} is a database of another program: set store.url to another file`);
    expect(read(path, 'SELECT group_concat(name) FROM sqlite_schema')).toBe('theirs');
  });

  it('refuses a place where no file can be', async () => {
    await mkdir(path);
    expect(() => openDatabase(path)).toThrow(/cannot be opened .*check that its folder can be written to/);
    await writeFile(join(folder, 'file'), '');
    expect(() => openDatabase(join(folder, 'file', 'gateway.db'))).toThrow('cannot be opened');
  });
});

describe('migrations', () => {
  it('are numbered without a gap', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  it('bring a new database to the newest version without a copy', () => {
    const opened = openDatabase(path, [...MIGRATIONS, second]);
    expect(opened.migrated).toEqual([1, 2]);
    opened.close();
    expect(existsSync(`${path}.before-v2`)).toBe(false);
    const again = openDatabase(path, [...MIGRATIONS, second]);
    expect(again.migrated).toEqual([]);
    again.close();
  });

  it('keep a copy of the database as it was before', () => {
    const old = openDatabase(path);
    old.database.exec("INSERT INTO participants VALUES (1, 'alice')");
    old.close();
    const opened = openDatabase(path, [...MIGRATIONS, second]);
    expect(opened.migrated).toEqual([2]);
    opened.close();
    expect(read(path, 'SELECT x FROM later')).toBe(1);
    expect(read(`${path}.before-v2`, 'SELECT sender FROM participants')).toBe('alice');
    expect(read(`${path}.before-v2`, 'PRAGMA user_version')).toBe(1);
    expect(existsSync(`${path}.before-v2.part`)).toBe(false);
  });

  it('change nothing when one fails, and can be tried again', () => {
    openDatabase(path).close();
    expect(() => openDatabase(path, [...MIGRATIONS, failing])).toThrow('the migration fails');
    expect(read(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'")).toBe(0);
    expect(read(path, 'PRAGMA user_version')).toBe(1);
    openDatabase(path, [...MIGRATIONS, second]).close();
    expect(read(path, 'PRAGMA user_version')).toBe(2);
  });

  it('refuse a database of a newer gateway, and say which copy goes back', () => {
    openDatabase(path, [...MIGRATIONS, second]).close();
    expect(() => openDatabase(path)).toThrow(
      `the database ${path} has schema version 2, and this gateway knows versions up to 1: ` +
        `start the newer gateway that wrote it, or restore the copy ${path}.before-v2`,
    );
    expect(read(path, 'SELECT x FROM later')).toBe(1);
  });
});
