import { createPublicKey, verify } from 'node:crypto';
import { NODE_ID } from './node-id.js';

/** Prefix of the credentials of paired nodes, so that other tokens cost no look-up. */
export const NODE_CREDENTIAL_PREFIX = 'node1.';

/** Greatest difference between the clocks of a node and the gateway, in milliseconds. */
const MAX_CLOCK_OFF_MS = 60_000;

/** Time for which a nonce is remembered, in milliseconds: longer than its credential can be valid. */
export const REMEMBER_NONCE_MS = 2 * MAX_CLOCK_OFF_MS;

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const MIN_NONCE_BYTES = 16;
const MAX_NONCE_BYTES = 64;

/** The beginning of an Ed25519 public key in DER (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The points of small order, and their other encodings: a signature by such a key says nothing. */
const SMALL_ORDER = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** A credential as it was presented, not yet verified. */
export interface NodeCredential {
  readonly nodeId: string;
  /** Unix milliseconds, by the clock of the node. */
  readonly timestamp: number;
  /** In base64url. */
  readonly nonce: string;
  readonly signature: Buffer;
}

/** Reads `node1.NODE_ID.TIMESTAMP.NONCE.SIGNATURE`. Returns undefined if it has another form. */
export function parseNodeCredential(token: string): NodeCredential | undefined {
  const [scheme, nodeId = '', time = '', nonce = '', signature = '', ...rest] = token.split('.');
  if (`${scheme}.` !== NODE_CREDENTIAL_PREFIX || rest.length > 0) return undefined;
  if (!NODE_ID.test(nodeId) || !/^[0-9]{1,15}$/.test(time)) return undefined;
  const nonceBytes = decode(nonce);
  const signatureBytes = decode(signature);
  if (!nonceBytes || nonceBytes.length < MIN_NONCE_BYTES || nonceBytes.length > MAX_NONCE_BYTES) return undefined;
  if (signatureBytes?.length !== SIGNATURE_BYTES) return undefined;
  return { nodeId, timestamp: Number(time), nonce, signature: signatureBytes };
}

/** Returns whether the owner of a key has signed a credential for this gateway. */
export function isSignedBy(publicKey: string, credential: NodeCredential, gatewayId: string): boolean {
  const { nodeId, timestamp, nonce, signature } = credential;
  const text = `openclaw-node-1\n${gatewayId}\n${nodeId}\n${timestamp}\n${nonce}`;
  const key = createPublicKey({
    key: Buffer.concat([DER_PREFIX, Buffer.from(publicKey, 'base64url')]),
    format: 'der',
    type: 'spki',
  });
  return verify(undefined, Buffer.from(text), key, signature);
}

/** Describes how far the clock of a node is off, for the reason of a close; undefined if it is near enough. */
export function describeClock(timestamp: number, now: number): string | undefined {
  const offMs = timestamp - now;
  if (Math.abs(offMs) <= MAX_CLOCK_OFF_MS) return undefined;
  return `The clock of this node is ${Math.round(Math.abs(offMs) / 1_000)} s ${offMs < 0 ? 'behind' : 'ahead'}`;
}

/** Returns whether a text is an Ed25519 public key in base64url that can prove something. */
export function isPublicKey(text: string): boolean {
  const bytes = decode(text);
  return bytes?.length === KEY_BYTES && !SMALL_ORDER.has(bytes.toString('hex'));
}

/** Decodes base64url. Returns undefined for padding, other characters, and bits that the bytes do not use. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
