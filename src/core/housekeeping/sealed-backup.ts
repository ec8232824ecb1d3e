/**
 * Backups under a passphrase.
 *
 * A sealed backup begins with a header of 32 bytes: `OCSEALED`, the version (1), the binary logarithm of N of scrypt, six zeros, a
 * random salt of 16 bytes. Its key is scrypt of the passphrase and the salt (r 8, p 1, 32 bytes). Then follow pieces of 64 KiB of the
 * archive, the last one shorter, each under AES-256-GCM with its tag of 16 bytes behind it. The nonce of a piece is its number, 11
 * bytes with the highest first, and a byte that is 1 for the last piece (the construction STREAM, as `age` has it): pieces cannot be
 * moved, left out or cut off. The additional data is the header.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';

const MAGIC = Buffer.from('OCSEALED');
const VERSION = 1;
const SALT_BYTES = 16;
const HEADER_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PIECE_BYTES = 65_536;
/** 128 MiB of memory and half a second for each attempt to guess. */
const COST = 17;
/** A header may ask for up to 1 GiB of memory. */
const MAX_COST = 20;
const ALGORITHM = 'aes-256-gcm';

/** Why a passphrase does not open a backup. */
const NOT_OPENED = 'the passphrase is wrong, or the backup is damaged';

/** Seals an archive. The result comes in pieces. */
export async function* sealBackup(archive: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
  const header = Buffer.concat([MAGIC, Buffer.from([VERSION, COST]), Buffer.alloc(6), randomBytes(SALT_BYTES)]);
  const key = await deriveKey(passphrase, header);
  yield header;
  for await (const [piece, number, isLast] of divide(archive, PIECE_BYTES)) {
    const cipher = createCipheriv(ALGORITHM, key, nonceOf(number, isLast), { authTagLength: TAG_BYTES }).setAAD(header);
    yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * Returns the archive in a file, which may be sealed.
 * @param passphrase undefined if there is none
 * @throws Error without a passphrase that it needs, with a wrong one, and if the file was changed or cut off
 */
export async function* openBackup(
  file: AsyncIterable<Uint8Array>,
  passphrase: string | undefined,
): AsyncGenerator<Uint8Array> {
  const { first, rest } = await readFirst(file, HEADER_BYTES);
  if (!first.subarray(0, MAGIC.length).equals(MAGIC)) {
    yield first;
    return yield* rest;
  }
  if (passphrase === undefined) throw new Error('the backup is sealed: it needs its passphrase (--passphrase-file)');
  const key = await deriveKey(passphrase, first);
  for await (const [piece, number, isLast] of divide(rest, PIECE_BYTES + TAG_BYTES)) {
    if (piece.length < TAG_BYTES) throw new Error(NOT_OPENED);
    const text = piece.subarray(0, -TAG_BYTES);
    const cipher = createDecipheriv(ALGORITHM, key, nonceOf(number, isLast), { authTagLength: TAG_BYTES });
    cipher.setAAD(first).setAuthTag(piece.subarray(-TAG_BYTES));
    yield Buffer.concat([cipher.update(text), finish(cipher)]);
  }
}

/** @throws Error if the piece is not what was sealed */
function finish(cipher: { final(): Buffer }): Buffer {
  try {
    return cipher.final();
  } catch {
    throw new Error(NOT_OPENED);
  }
}

/** @throws Error for a header of a later version */
function deriveKey(passphrase: string, header: Buffer): Promise<Buffer> {
  const [version, cost = 0] = header.subarray(MAGIC.length);
  if (version !== VERSION || cost > MAX_COST) throw new Error('the backup is sealed in a way of a newer gateway');
  const N = 2 ** cost;
  const salt = header.subarray(HEADER_BYTES - SALT_BYTES);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // The same characters may be typed in several ways.
  scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, { N, r: 8, p: 1, maxmem: 2 * 128 * N * 8 }, (error, key) =>
    error ? reject(error) : resolve(key),
  );
  return promise;
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(number, NONCE_BYTES - 7, 6);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

/** Divides a stream into pieces of one size with their numbers. The last one may be shorter, and is there for an empty stream. */
async function* divide(
  stream: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<[piece: Buffer, number: number, isLast: boolean]> {
  let held: Uint8Array[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of stream) {
    held.push(chunk);
    length += chunk.length;
    // A piece that could be the last one is kept until that is known.
    if (length <= size) continue;
    let rest = Buffer.concat(held);
    for (; rest.length > size; rest = rest.subarray(size)) yield [rest.subarray(0, size), number++, false];
    held = [rest];
    length = rest.length;
  }
  yield [Buffer.concat(held), number, true];
}

/** Reads the first bytes of a stream. Returns less of a shorter one. */
async function readFirst(
  stream: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ readonly first: Buffer; readonly rest: AsyncGenerator<Uint8Array> }> {
  const source = stream[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  while (held.length < length) {
    const next = await source.next();
    if (next.done === true) break;
    held = Buffer.concat([held, next.value]);
  }
  return { first: held.subarray(0, length), rest: follow(held.subarray(length), source) };
}

async function* follow(held: Buffer, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield held;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}
