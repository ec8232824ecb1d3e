import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { useDatabaseFile } from '../../../testing/database-file.js';
import { checkDatabase } from './check-database.js';
import { openDatabase } from './database.js';

let path: string;
useDatabaseFile((file) => ({ path } = file));

/** Creates a database whose participants cover many pages. */
function makeDatabase(): void {
  const { database, close } = openDatabase(path);
  const insert = database.prepare('INSERT INTO participants VALUES (?, ?)');
  database.exec('BEGIN');
  for (let row = 0; row < 5_000; row++) insert.run(row, `sender ${row}`);
  database.exec('COMMIT');
  close();
}

describe('the check of a database', () => {
  it.each(['quick_check', 'integrity_check'] as const)('by %s finds pages that are damaged', async (depth) => {
    makeDatabase();
    expect(checkDatabase(path, depth)).toBeUndefined();
    const bytes = await readFile(path);
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20_000);
    await writeFile(path, bytes);
    expect(checkDatabase(path, depth)).toMatch(/\w/);
  });

  it('finds that a file is not a database', async () => {
    await writeFile(path, 'this is not a database');
    expect(checkDatabase(path, 'quick_check')).toBe('file is not a database');
  });

  it('names each table, the largest included, while a gateway writes', () => {
    makeDatabase();
    const opened = openDatabase(path);
    const tables: string[] = [];
    const finding = checkDatabase(path, 'integrity_check', (table, n, of) => {
      tables.push(table);
      expect(n).toBeLessThanOrEqual(of);
      opened.database.exec('UPDATE gateway SET checked_at = checked_at + 1');
    });
    opened.close();
    expect(finding).toBeUndefined();
    expect(tables).toEqual(expect.arrayContaining(['sqlite_schema', 'messages', 'participants']));
  });
});
