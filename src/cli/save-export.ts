import { createHash } from 'node:crypto';
import type { AdminSession } from './admin-session.js';
import { saveChecked, type ResponseCheck } from './download.js';
import { EXIT } from './faults.js';

/** Time for a whole export, in milliseconds. */
const TIMEOUT_MS = 3_600_000;

/**
 * Writes an export to a file that only its owner can read, if its last line shows that it is complete.
 * @throws Error if it is not complete: nothing is left then
 */
export async function saveExport(session: AdminSession, path: string, file: string): Promise<number> {
  const response = await session.fetch(path, TIMEOUT_MS);
  if (!response.ok || !response.body) {
    const body = (await response.json().catch(() => undefined)) as { readonly detail?: string } | undefined;
    throw new Error(body?.detail ?? `HTTP ${response.status}`);
  }
  const check = new ExportCheck();
  try {
    await saveChecked(response.body as AsyncIterable<Uint8Array>, file, check);
  } catch (error) {
    throw new Error(`the export is not complete: ${(error as Error).message}`, { cause: error });
  }
  session.terminal.stdout.write(`${file}: ${check.items} records\n`);
  return EXIT.done;
}

const LINE_END = 10;

/** Compares the lines of an export with its last one, which has their number and hash. */
class ExportCheck implements ResponseCheck {
  /** The records so far. */
  items = 0;
  private readonly digest = createHash('sha256');
  private held = Buffer.alloc(0);

  take(chunk: Uint8Array): void {
    this.held = Buffer.concat([this.held, chunk]);
    // The last line is kept: it is not part of its own digest.
    for (let end = this.held.indexOf(LINE_END); end !== -1 && end < this.held.length - 1;) {
      this.digest.update(this.held.subarray(0, end + 1));
      this.items++;
      this.held = this.held.subarray(end + 1);
      end = this.held.indexOf(LINE_END);
    }
  }

  end(): void {
    const end = JSON.parse(this.held.toString()) as {
      readonly type?: string;
      readonly items?: number;
      readonly sha256?: string;
    };
    if (end.type !== 'end' || end.items !== this.items || end.sha256 !== this.digest.digest('hex'))
      throw new Error('its end does not fit');
  }
}
