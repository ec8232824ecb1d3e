import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { AdminSession } from './admin-session.js';
import { removeOnSignal } from './download.js';
import { EXIT } from './faults.js';

/** Time for a whole export, in milliseconds. */
const TIMEOUT_MS = 3_600_000;

/**
 * Writes an export to a file that only its owner can read. It is written beside its place and moved there when its last line
 * shows that it is complete.
 * @throws Error if it is not complete: nothing is left then
 */
export async function saveExport(session: AdminSession, path: string, file: string): Promise<number> {
  const response = await session.fetch(path, TIMEOUT_MS);
  if (!response.ok || !response.body) {
    const body = (await response.json().catch(() => undefined)) as { readonly detail?: string } | undefined;
    throw new Error(body?.detail ?? `HTTP ${response.status}`);
  }
  const part = `${file}.part`;
  const endWatch = removeOnSignal(part);
  try {
    const items = await write(Readable.fromWeb(response.body as never), part);
    await rename(part, file);
    session.terminal.stdout.write(`${file}: ${items} records\n`);
    return EXIT.done;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    endWatch();
  }
}

/** Writes a stream to a file and returns the number of its records. @throws Error if it has no right end */
async function write(body: Readable, part: string): Promise<number> {
  const out = createWriteStream(part, { mode: 0o600 });
  let failure: Error | undefined;
  out.on('error', (error) => (failure = error));
  const digest = createHash('sha256');
  let items = 0;
  let held = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      held = Buffer.concat([held, chunk as Buffer]);
      // The last line is kept: it is not part of its own digest.
      for (let end = held.indexOf(LINE_END); end !== -1 && end < held.length - 1; end = held.indexOf(LINE_END)) {
        const line = held.subarray(0, end + 1);
        digest.update(line);
        items++;
        if (!out.write(line)) await once(out, 'drain');
        held = held.subarray(end + 1);
      }
    }
    checkEnd(held.toString(), items, digest.digest('hex'));
    out.end(held);
  } catch (error) {
    out.destroy();
    throw new Error(`the export is not complete: ${(error as Error).message}`, { cause: error });
  }
  await once(out, 'close');
  if (failure) throw failure;
  return items;
}

const LINE_END = 10;

function checkEnd(line: string, items: number, sha256: string): void {
  const end = JSON.parse(line) as { readonly type?: string; readonly items?: number; readonly sha256?: string };
  if (end.type !== 'end' || end.items !== items || end.sha256 !== sha256) throw new Error('its end does not fit');
}
