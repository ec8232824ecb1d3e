import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Saves a response to a file that only its owner can read. It gets its name when `check`, which sees each chunk and then
 * the end, has found it complete; until then, and after a failure, it does not exist under that name.
 */
export async function saveChecked(
  body: AsyncIterable<Uint8Array>,
  path: string,
  check: { take(chunk: Uint8Array): void; /** @throws Error if it is incomplete */ end(): void },
): Promise<void> {
  const part = `${path}.part`;
  rmSync(part, { force: true });
  const file = openSync(part, 'wx', 0o600);
  try {
    for await (const chunk of body) {
      check.take(chunk);
      for (let from = 0; from < chunk.length;) from += writeSync(file, chunk, from);
    }
    check.end();
    fsyncSync(file);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
