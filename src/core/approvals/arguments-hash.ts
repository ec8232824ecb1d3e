import { hash } from 'node:crypto';
import { canonicalise } from '../store/canonical-json.js';

/** Returns the SHA-256 of the arguments as canonical JSON, in hexadecimal. */
export function hashArguments(parameters: unknown): string {
  return hash('sha256', canonicalise(parameters), 'hex');
}
