import { createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openBackup, sealBackup } from './sealed-backup.js';

const PASSPHRASE = 'correct horse battery staple';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const seal = (archive: Buffer, chunk = 40_000) => collect(sealBackup(inChunks(archive, chunk), PASSPHRASE));
const open = (file: Buffer, passphrase: string | undefined = PASSPHRASE, chunk = 33_333) =>
  collect(openBackup(inChunks(file, chunk), passphrase));

describe('a sealed backup', () => {
  // A key costs half a second, on purpose.
  it.each([
    [0, 33_333],
    [65_535, 1_000_000],
    [65_536, 33_333],
    [65_537, 1_000_000],
    [200_001, 33_333],
  ])('[I-70] of %d bytes opens with its passphrase, in chunks of %d', async (size, chunk) => {
    const archive = randomBytes(size);
    const file = await seal(archive);
    expect(file.length).toBe(32 + size + 16 * Math.max(1, Math.ceil(size / 65_536)));
    expect((await open(file, PASSPHRASE, chunk)).equals(archive)).toBe(true);
  });

  it('[I-70] has the form that is written down, and another key each time', async () => {
    const archive = Buffer.from('a small archive');
    const [file, other] = await Promise.all([seal(archive), seal(archive)]);
    expect(file.subarray(0, 16).toString('hex')).toBe('4f435345414c45440111000000000000');
    const key = scryptSync(PASSPHRASE, file.subarray(16, 32), 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 });
    const cipher = createDecipheriv('aes-256-gcm', key, Buffer.from('000000000000000000000001', 'hex'));
    cipher.setAAD(file.subarray(0, 32)).setAuthTag(file.subarray(-16));
    expect(Buffer.concat([cipher.update(file.subarray(32, -16)), cipher.final()])).toEqual(archive);
    expect(other.subarray(16).equals(file.subarray(16))).toBe(false);
  });

  it('[I-70] does not open without its passphrase', async () => {
    const file = await seal(Buffer.from('secret'));
    await expect(open(file, 'another passphrase')).rejects.toThrow('the passphrase is wrong');
    await expect(collect(openBackup(inChunks(file, 10), undefined))).rejects.toThrow('needs its passphrase');
  });

  it('[I-70] that was changed, cut off or put together otherwise does not open', async () => {
    const piece = 65_536 + 16;
    const file = await seal(randomBytes(3 * 65_536));
    const at = (n: number) => file.subarray(32 + n * piece, 32 + (n + 1) * piece);
    const header = file.subarray(0, 32);
    const flipped = Buffer.from(file);
    flipped[70_000]! ^= 1;
    const damaged = [
      flipped,
      file.subarray(0, -1),
      file.subarray(0, 32 + 2 * piece),
      file.subarray(0, 32),
      Buffer.concat([header, at(1), at(0), at(2)]),
      Buffer.concat([header, at(0), at(2)]),
      Buffer.concat([file, at(2)]),
    ];
    for (const odd of damaged) await expect(open(odd)).rejects.toThrow('the backup is damaged');
    const newer = Buffer.from(file);
    newer[8] = 2;
    await expect(open(newer)).rejects.toThrow('newer gateway');
  });
});

it('[I-70] what is not sealed is read as it is', async () => {
  for (const archive of [Buffer.alloc(0), Buffer.from('short'), randomBytes(100_000)])
    expect((await open(archive)).equals(archive)).toBe(true);
});
