import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { readValue, useDatabaseFile } from '../../../testing/database-file.js';
import { openDatabase } from './database.js';

let folder: string;
let path: string;
useDatabaseFile((file) => ({ folder, path } = file));

describe('openDatabase', () => {
  it('refuses a folder that cannot be made, on any file system', () => {
    expect(() => openDatabase('/proc/nowhere/deep/gateway.db')).toThrow(/cannot be opened \(ENOENT.*store\.url/);
  });

  it('creates the file and its parent folders, readable only by its user', async () => {
    const deep = join(folder, 'not', 'there', 'gateway.db');
    openDatabase(deep).close();
    expect((await stat(deep)).mode & 0o077).toBe(0);
    expect((await stat(join(folder, 'not'))).mode & 0o077).toBe(0);
  });

  it('commits in a way that survives a power failure', () => {
    const { database, close } = openDatabase(path);
    const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('busy_timeout')]).toEqual(['wal', 2, 0]);
    close();
  });

  it('keeps at most 8 MiB of pages in memory', () => {
    const { database, close } = openDatabase(path);
    expect(database.prepare('PRAGMA cache_size').get()).toEqual({ cache_size: -8_192 });
    close();
  });

  it('refuses a database that another gateway has open, and names the process', () => {
    const first = openDatabase(path);
    expect(() => openDatabase(path)).toThrow(
      `the database ${path} is in use by the process ${process.pid}: stop that gateway`,
    );
    expect(() => openDatabase(path)).toThrow('in use');
    first.close();
    openDatabase(path).close();
  });

  it('keeps the lock of its holder when another was refused', () => {
    const first = openDatabase(path);
    expect(() => openDatabase(path)).toThrow('in use');
    expect(() => openDatabase(path)).toThrow('in use');
    first.database.exec('UPDATE gateway SET checked_at = 1');
    first.close();
  });

  it('knows a database by one name: refuses a second gateway that takes another path to it', async () => {
    const first = openDatabase(path);
    await symlink(path, join(folder, 'link.db'));
    await symlink(folder, join(folder, 'linked'));
    expect(() => openDatabase(join(folder, 'link.db'))).toThrow(`in use by the process ${process.pid}`);
    expect(() => openDatabase(join(folder, 'linked', 'gateway.db'))).toThrow(`in use by the process ${process.pid}`);
    first.close();
    openDatabase(join(folder, 'link.db')).close();
    expect(existsSync(join(folder, 'link.db.lock'))).toBe(false);
  });

  it('refuses a file with two names, a link to nothing and what is not a file', async () => {
    openDatabase(path).close();
    await link(path, join(folder, 'other.db'));
    expect(() => openDatabase(path)).toThrow('has 2 names (hard links)');
    await symlink(join(folder, 'nothing.db'), join(folder, 'dangling.db'));
    expect(() => openDatabase(join(folder, 'dangling.db'))).toThrow('is a link to a file that does not exist');
    expect(() => openDatabase('/dev/null')).toThrow('/dev/null is not a file');
    expect(existsSync('/dev/null.lock')).toBe(false);
  });

  it('leaves no lock beside a file that it refuses', async () => {
    await writeFile(path, 'this is not a database');
    expect(() => openDatabase(path)).toThrow('is damaged');
    expect(await readdir(folder)).toEqual(['gateway.db']);
  });

  it('allows others to read while it is open', () => {
    const opened = openDatabase(path);
    expect(readValue(path, 'SELECT generation FROM gateway')).toBe(0);
    opened.close();
  });

  it('refuses a file that is not a database, and leaves it unchanged', async () => {
    await writeFile(path, 'this is not a database, but its owner may want to keep it');
    expect(() => openDatabase(path)).toThrow(
      /is damaged \(file is not a database\).*Nothing was changed.*restore a backup/,
    );
    expect(await readFile(path, 'utf8')).toBe('this is not a database, but its owner may want to keep it');
  });

  it('refuses a database without a schema, and leaves it unchanged', async () => {
    openDatabase(path).close();
    const bytes = await readFile(path);
    bytes.fill(0xff, 100, 4_096);
    await writeFile(path, bytes);
    expect(() => openDatabase(path)).toThrow('is damaged');
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('knows whether the last process closed it', async () => {
    const crashed = join(folder, 'crashed.db');
    const opened = openDatabase(path);
    expect(opened.isRecovered).toBe(false);
    opened.database.exec('UPDATE gateway SET checked_at = 1');
    for (const end of ['', '-wal']) await copyFile(path + end, crashed + end);
    opened.close();
    const again = openDatabase(path);
    const recovered = openDatabase(crashed);
    expect([again.isRecovered, recovered.isRecovered]).toEqual([false, true]);
    again.close();
    recovered.close();
  });

  it('refuses a database of another program', () => {
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE theirs (x)');
    foreign.close();
    expect(() => openDatabase(path)).toThrow(`${path} is a database of another program: set store.url to another file`);
    expect(readValue(path, 'SELECT group_concat(name) FROM sqlite_schema')).toBe('theirs');
  });

  it('refuses a path where no file can be created', async () => {
    await mkdir(path);
    expect(() => openDatabase(path)).toThrow(/cannot be opened .*check that its folder can be written to/);
    await writeFile(join(folder, 'file'), '');
    expect(() => openDatabase(join(folder, 'file', 'gateway.db'))).toThrow('cannot be opened');
  });
});
