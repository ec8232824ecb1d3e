import type { Clock } from '../../../core/time/clock.js';

/** Chromium's reason while one document takes the place of another: for that moment a tab has no page. */
const BETWEEN_DOCUMENTS = 'Not attached to an active page';

const PAUSE_MS = 100;

/**
 * Asks a tab, and asks again while one document takes the place of another, for at most `timeoutMs` milliseconds.
 * @throws the error of `ask`
 */
export async function pastChange<T>(clock: Clock, timeoutMs: number, ask: () => Promise<T>): Promise<T> {
  const until = clock.elapsed() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof Error && error.message.includes(BETWEEN_DOCUMENTS);
      if (!isPassing || clock.elapsed() >= until) throw error;
    }
    await clock.sleep(PAUSE_MS);
  }
}
