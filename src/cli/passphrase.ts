import { readFileSync } from 'node:fs';
import { countCodePoints } from '../protocol/code-points.js';

/** Fewer characters could be guessed. */
const MIN_LENGTH = 12;

/**
 * Reads a passphrase from a file; undefined without one. Line ends behind it do not count.
 * @throws Error if it has fewer than 12 characters
 */
export function readPassphrase(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const passphrase = readFileSync(path, 'utf8').replace(/[\r\n]+$/, '');
  if (countCodePoints(passphrase) < MIN_LENGTH)
    throw new Error(`the passphrase in ${path} has fewer than ${MIN_LENGTH} characters`);
  return passphrase;
}
