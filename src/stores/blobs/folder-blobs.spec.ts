import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBlobContract } from '../../testing/blob.contract.js';
import { FolderBlobs } from './folder-blobs.js';

describeBlobContract('FolderBlobs keeps the contract of blobs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  return {
    blobs: new FolderBlobs(() => folder),
    reopen: async () => new FolderBlobs(() => folder),
    list: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('FolderBlobs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blobs-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const put = (text: string) => new FolderBlobs(() => folder).put('f_abcd', [Buffer.from(text)].values() as never);

  it('creates files that only its user can read', async () => {
    await put('secret');
    expect(statSync(join(folder, 'ab', 'f_abcd')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'ab')).mode & 0o777).toBe(0o700);
  });

  it('reports a folder that cannot be created as a store that is unavailable, before and at an upload', async () => {
    await writeFile(join(folder, 'file'), '');
    const blobs = new FolderBlobs(() => join(folder, 'file', 'media'));
    await expect(blobs.check()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await new FolderBlobs(() => join(folder, 'new', 'media')).check();
    await expect(blobs.put('f_01', [Buffer.from('x')].values() as never)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('frees each chunk of an upload as soon as it is written', async () => {
    const chunks = ['one', 'two'].map((text) => Buffer.from(new TextEncoder().encode(text).slice().buffer));
    const lengths: number[] = [];
    const blobs = new FolderBlobs(() => folder);
    async function* body() {
      for (const chunk of chunks) {
        yield chunk;
        lengths.push(chunk.byteLength);
      }
    }
    await blobs.put('f_abcd', body());
    expect([lengths, statSync(join(folder, 'ab', 'f_abcd')).size]).toEqual([[0, 0], 6]);
  });

  it('does not list the leftovers of a crash as blobs, and overwrites them', async () => {
    await mkdir(join(folder, 'ab'));
    await writeFile(join(folder, 'ab', 'f_abcd.part'), 'a longer half of an upload');
    const blobs = new FolderBlobs(() => folder);
    expect([await blobs.exists('f_abcd'), await blobs.get('f_abcd')]).toEqual([false, undefined]);
    await put('whole');
    expect(statSync(join(folder, 'ab', 'f_abcd')).size).toBe(5);
    expect(existsSync(join(folder, 'ab', 'f_abcd.part'))).toBe(false);
  });
});
