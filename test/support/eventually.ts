import { vi } from 'vitest';

/**
 * Repeats `check` until it passes, and resolves with its result. Only a hang reaches the limit. For concurrent tests, in
 * which `expect.poll` does not know its test. `vitest.config.ts` sets the same limit for `expect.poll`.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 30_000 });
}
