import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { saveChecked } from './download.js';
import { EndOfLines } from './json-lines.js';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'lines-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const LINES = '{"a":1}\n{"b":"ü"}\n';
const endOf = (items: number, lines = LINES) =>
  `${JSON.stringify({ type: 'end', items, sha256: createHash('sha256').update(lines).digest('hex') })}\n`;

/** The bytes of a text in pieces of a length. */
async function* inPieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}

async function save(text: string, length = 7): Promise<{ items: number; path: string }> {
  const end = new EndOfLines();
  const path = join(folder, 'x.jsonl');
  await saveChecked(inPieces(text, length), path, end);
  return { items: end.items, path };
}

it.each([1, 7, 1_000])('[I-56] an export in pieces of %i bytes is complete', async (length) => {
  const { items, path } = await save(LINES + endOf(2), length);
  expect([items, existsSync(path)]).toEqual([2, true]);
});

it('[I-56] an empty export is complete', async () => {
  expect(await save(endOf(0, ''))).toMatchObject({ items: 0 });
});

it.each([
  ['has no end', LINES],
  ['is cut in its end', LINES + endOf(2).slice(0, -9)],
  ['lacks a line', `{"a":1}\n${endOf(2)}`],
  ['has a changed line', LINES.replace('1', '2') + endOf(2)],
  ['counts wrongly', LINES + endOf(3)],
  ['is empty', ''],
])('[I-56] an export that %s is not saved', async (_, text) => {
  await expect(save(text)).rejects.toThrow('nothing was saved');
  expect(readdirSync(folder)).toEqual([]);
});
