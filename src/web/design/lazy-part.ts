/** Pauses before another attempt in milliseconds: the first one, and the longest. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

/**
 * Returns a function that loads a part of the page with its first call, and resolves with it each time. While it cannot be
 * loaded, because the connection is gone, it is tried again: a page without the part would stay incomplete until its reload.
 * @param load imports the part
 * @param pause resolves after a time in milliseconds
 */
export function lazyPart<Part>(load: () => Promise<Part>, pause = waitFor): () => Promise<Part> {
  let part: Promise<Part> | undefined;
  return () => (part ??= keepLoading(load, pause));
}

async function keepLoading<Part>(load: () => Promise<Part>, pause: (ms: number) => Promise<void>): Promise<Part> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await load();
    } catch {
      await pause(pauseMs);
    }
  }
}

/** Waits, at most until the browser is online again. */
function waitFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
  });
}
