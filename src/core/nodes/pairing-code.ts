import { hash, randomBytes } from 'node:crypto';

/** Crockford's base32: no I, L, O and U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 10;
const GROUP_LENGTH = 5;

/** Lifetime of a code, in milliseconds. */
export const CODE_LIFETIME_MS = 600_000;

/** Makes a code of 50 random bits in two groups, such as `K7M2P-9QX4T`. */
export function makePairingCode(): string {
  const characters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return `${characters.slice(0, GROUP_LENGTH)}-${characters.slice(GROUP_LENGTH)}`;
}

/** Returns the hash of a code as a person may type it: in any case, with other letters for digits, with or without `-`. */
export function hashPairingCode(code: string): string {
  const typed = code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return hash('sha256', `openclaw pairing code\n${typed}`, 'hex');
}
