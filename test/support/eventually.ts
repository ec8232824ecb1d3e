import { vi } from 'vitest';

/**
 * Repeats `check` until it passes, and returns its result. The limit is one that only a hang reaches. For tests that run
 * concurrently, in which `expect.poll` does not know its test; that one has the same limit, set in `vitest.config.ts`.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000 });
}
