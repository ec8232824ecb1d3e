import { hash } from 'node:crypto';
import { canonicalise } from '../store/canonical-json.js';

/** SHA-256, in hexadecimal, of the arguments as JSON with the keys in one order. */
export function hashArguments(parameters: unknown): string {
  return hash('sha256', canonicalise(parameters), 'hex');
}
