/** The contract of every `BlobStore`, as tests. For vitest; not in the barrel, so that fakes need no test runner. */
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidBlobKeyError, type BlobStore } from '../core/media/blob.store.js';

/** A blob store under test. */
export interface BlobsUnderTest {
  /** Empty at first. */
  readonly blobs: BlobStore;
  /** Opens the same blobs again, as another process would. */
  reopen(): Promise<BlobStore>;
  /** The names of all stored files, incomplete ones included. */
  list(): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

async function* chunksOf(...chunks: (string | Error)[]): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield new TextEncoder().encode(chunk);
  }
}

async function readBytes(blobs: BlobStore, key: string): Promise<Buffer | undefined> {
  const stream = await blobs.get(key);
  return stream && buffer(stream);
}

const readAll = async (blobs: BlobStore, key: string) => (await readBytes(blobs, key))?.toString();

/** Registers the contract as vitest tests, each on new, empty blobs. */
export function describeBlobContract(name: string, makeBlobs: () => Promise<BlobsUnderTest>): void {
  describe(name, () => {
    let under: BlobsUnderTest;
    let blobs: BlobStore;
    beforeEach(async () => {
      under = await makeBlobs();
      blobs = under.blobs;
    });
    afterEach(() => under.dispose());

    it('returns what was put, over a restart as well', async () => {
      await blobs.put('f_01', chunksOf('hello ', 'world'));
      expect(await readAll(blobs, 'f_01')).toBe('hello world');
      expect(await readAll(await under.reopen(), 'f_01')).toBe('hello world');
    });

    it('lists the keys of what was stored before a time', async () => {
      await blobs.put('f_01', chunksOf('one'));
      await blobs.put('f_12', chunksOf('two'));
      const list = async (before: number) => {
        const keys: string[] = [];
        for await (const key of blobs.list(before)) keys.push(key);
        return keys.sort();
      };
      expect(await list(0)).toEqual([]);
      expect(await list(Number.MAX_SAFE_INTEGER)).toEqual(['f_01', 'f_12']);
    });

    it('stores any bytes, separately for each key', async () => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
      const put = async function* () {
        yield bytes.subarray(0, 70_000);
        yield bytes.subarray(70_000);
      };
      await Promise.all([
        blobs.put('f_bytes', put()),
        blobs.put('f_text', chunksOf('text')),
        blobs.put('f_none', chunksOf()),
      ]);
      expect((await readBytes(blobs, 'f_bytes'))?.equals(bytes)).toBe(true);
      expect([await readAll(blobs, 'f_text'), await readAll(blobs, 'f_none')]).toEqual(['text', '']);
    });

    it('replaces a blob as a whole', async () => {
      await blobs.put('f_01', chunksOf('a longer text'));
      await blobs.put('f_01', chunksOf('short'));
      expect(await readAll(blobs, 'f_01')).toBe('short');
    });

    it('lists the stored blobs', async () => {
      expect([await blobs.exists('f_01'), await blobs.get('f_01')]).toEqual([false, undefined]);
      await blobs.put('f_01', chunksOf('x'));
      expect(await blobs.exists('f_01')).toBe(true);
    });

    it('removes a blob, and one that does not exist', async () => {
      await blobs.put('f_01', chunksOf('x'));
      await blobs.remove('f_01');
      await blobs.remove('f_01');
      expect([await blobs.exists('f_01'), await blobs.get('f_01'), await under.list()]).toEqual([false, undefined, []]);
    });

    it('leaves nothing when the body fails, and rejects with its error', async () => {
      const error = new Error('the uploader is gone');
      await expect(blobs.put('f_01', chunksOf('half', error))).rejects.toBe(error);
      expect([await blobs.exists('f_01'), await under.list()]).toEqual([false, []]);
    });

    it('keeps the previous blob when the body of a new one fails', async () => {
      await blobs.put('f_01', chunksOf('before'));
      await expect(blobs.put('f_01', chunksOf('half', new Error('gone')))).rejects.toThrow('gone');
      expect(await readAll(blobs, 'f_01')).toBe('before');
    });

    it('shows no blob before it is complete', async () => {
      const rest = Promise.withResolvers<void>();
      const putting = blobs.put(
        'f_01',
        (async function* () {
          yield new Uint8Array(10);
          await rest.promise;
          yield new Uint8Array(10);
        })(),
      );
      expect(await blobs.exists('f_01')).toBe(false);
      rest.resolve();
      await putting;
      expect(await blobs.exists('f_01')).toBe(true);
    });

    it('lets a reader stop early', async () => {
      await blobs.put('f_01', chunksOf('x'.repeat(200_000)));
      for await (const chunk of (await blobs.get('f_01')) ?? []) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      await blobs.remove('f_01');
    });

    it.each(['', 'abc', '../x', 'a/b/c', 'f_1.part', 'f 12', 'x'.repeat(65)])('refuses the key %j', async (key) => {
      await expect(blobs.put(key, chunksOf('x'))).rejects.toThrow(InvalidBlobKeyError);
      await expect(blobs.get(key)).rejects.toThrow(InvalidBlobKeyError);
      expect(await under.list()).toEqual([]);
    });
  });
}
