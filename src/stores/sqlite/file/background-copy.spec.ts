import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeCopy } from './background-copy.js';
import { openDatabase } from './database.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'copy-'));
  path = join(folder, 'gateway.db');
  openDatabase(path).close();
});
afterEach(() => rmSync(folder, { recursive: true }));

const listCopies = () => readdirSync(folder).filter((name) => name.includes('.backup-'));

/** Writes what SQLite leaves beside a copy that is cut off. */
function leaveJournals(): void {
  for (const copy of listCopies())
    for (const ending of ['-journal', '-wal', '-shm']) writeFileSync(join(folder, copy + ending), 'x');
}

it('[I-70] nothing of a copy stays beside the store once it is removed', async () => {
  const copy = await makeCopy(path);
  leaveJournals();
  expect(listCopies()).toHaveLength(4);
  await copy.remove();
  expect(listCopies()).toEqual([]);
});

it('[I-70] nothing of a copy stays that has failed or was cancelled', async () => {
  const signal = AbortSignal.abort();
  signal.throwIfAborted = () => {
    leaveJournals();
    expect(listCopies()).toHaveLength(4);
    throw signal.reason;
  };
  await expect(makeCopy(path, signal)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: signal.reason });
  expect(listCopies()).toEqual([]);
});
