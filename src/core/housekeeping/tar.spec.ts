import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TAR_END, tarHeader, tarPadding, TarReader } from './tar.js';

const FILES = [
  ['a.txt', 'hello'],
  ['media/f_0123456789', 'x'.repeat(1_024)],
  ['empty', ''],
] as const;
const ARCHIVE = Buffer.concat([
  ...FILES.flatMap(([name, text]) => [
    tarHeader(name, text.length, 1_795_766_400_000),
    Buffer.from(text),
    tarPadding(text.length),
  ]),
  TAR_END,
]);

it.each([1, 7, 512, 100_000])('an archive is read in chunks of %i bytes', (length) => {
  const files: [string, string][] = [];
  const reader = new TarReader({
    begin: (name) => files.push([name, '']),
    take: (chunk) => void (files.at(-1)![1] += Buffer.from(chunk).toString()),
    end: () => {},
  });
  for (let from = 0; from < ARCHIVE.length; from += length) reader.take(ARCHIVE.subarray(from, from + length));
  expect([files, reader.isEnded]).toEqual([FILES, true]);
});

it('an archive is one of tar', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tar-'));
  writeFileSync(join(folder, 'x.tar'), ARCHIVE);
  execFileSync('tar', ['-xf', 'x.tar'], { cwd: folder });
  expect(FILES.map(([name]) => readFileSync(join(folder, name), 'utf8'))).toEqual(FILES.map(([, text]) => text));
  rmSync(folder, { recursive: true });
});

it('a file of any size has a header', () => {
  const sizes: number[] = [];
  const reader = new TarReader({ begin: (_, size) => sizes.push(size), take: () => {}, end: () => {} });
  reader.take(tarHeader('huge', 2 ** 40 + 7, 0));
  expect(sizes).toEqual([2 ** 40 + 7]);
});
