import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Sees each chunk of a response, and then its end. */
export interface ResponseCheck {
  take(chunk: Uint8Array): void;
  /** @throws Error if it is incomplete */
  end(): void;
}

/** Saves a response whose check finds it complete, as {@link saveWhole} does. */
export async function saveChecked(body: AsyncIterable<Uint8Array>, path: string, check: ResponseCheck): Promise<void> {
  await saveWhole(readChecked(body, check), path);
}

/** Returns the chunks of a response. @throws Error at its end if it is incomplete */
export async function* readChecked(body: AsyncIterable<Uint8Array>, check: ResponseCheck): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    check.take(chunk);
    yield chunk;
  }
  check.end();
}

/**
 * Saves a stream to a file that only its owner can read. It gets its name at the end of the stream; until then, and after a
 * failure, it does not exist under that name.
 */
export async function saveWhole(stream: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const part = `${path}.part`;
  rmSync(part, { force: true });
  const file = openSync(part, 'wx', 0o600);
  const endWatch = removeOnSignal(part);
  try {
    for await (const chunk of stream) for (let from = 0; from < chunk.length;) from += writeSync(file, chunk, from);
    fsyncSync(file);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    endWatch();
    closeSync(file);
  }
}

const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Removes an incomplete file if a signal ends the process before. Returns a function that ends the watch. */
function removeOnSignal(path: string): () => void {
  const remove = (signal: NodeJS.Signals) => {
    endWatch();
    rmSync(path, { force: true });
    process.kill(process.pid, signal);
  };
  const endWatch = () => ENDING.forEach((signal) => process.off(signal, remove));
  ENDING.forEach((signal) => process.on(signal, remove));
  return endWatch;
}
