import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LocalToken } from './local-token.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-token-'));
  path = join(folder, 'data/local.token');
});
afterEach(() => rmSync(folder, { recursive: true }));
const inFile = () => readFileSync(path, 'utf8').trim();
const makeToken = (isOwn: boolean) => new LocalToken(() => ({ path, isOwn }));

it('[X-45] leaves the file of another gateway alone in a folder that several may have', async () => {
  const [first, second] = [makeToken(false), makeToken(false)];
  await first.write();
  await expect(second.write()).rejects.toThrow('EEXIST');
  await second.removeOlder();
  await second.remove();
  expect(inFile()).toBe(first.value);
  await first.remove();
  expect(inFile).toThrow('ENOENT');
});

it('[X-45] replaces an older file beside its own store, and removes no newer one', async () => {
  const [first, second] = [makeToken(true), makeToken(true)];
  await first.write();
  await second.write();
  await first.remove();
  expect(inFile()).toBe(second.value);
});
