import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { checkDatabase } from './check-database.js';

/** A check of a database that runs beside the gateway. */
export interface BackgroundCheck {
  /** The damage; undefined if there is none. Rejects when the check could not be completed, also by {@link stop}. */
  readonly finding: Promise<string | undefined>;
  /** Ends the check. */
  stop(): void;
}

export type StartCheck = (path: string) => BackgroundCheck;

/**
 * Starts a check in a process of its own in the compiled gateway, and checks in this thread from TypeScript sources. A
 * thread would not do: it cannot be ended in the middle of a statement, and a stop would wait for it.
 */
export const startBackgroundCheck: StartCheck = (path) =>
  import.meta.url.endsWith('.ts') ? checkHere(path) : checkOutside(path);

function checkHere(path: string): BackgroundCheck {
  return { finding: Promise.resolve().then(() => checkDatabase(path, 'quick_check')), stop() {} };
}

function checkOutside(path: string): BackgroundCheck {
  const script = fileURLToPath(new URL('./sqlite.check.js', import.meta.url));
  const running = promisify(execFile)(process.execPath, [script, path], { killSignal: 'SIGKILL' });
  running.child.unref();
  return {
    finding: running.then(({ stdout }) => stdout || undefined),
    stop: () => void running.child.kill('SIGKILL'),
  };
}
