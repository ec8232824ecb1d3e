import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeClock, isPublicKey, isSignedBy, parseNodeCredential } from './node-credential.js';

interface Vectors {
  readonly gateway_id: string;
  readonly gateway_clock_ms: number;
  readonly public_key: string;
  readonly cases: readonly { readonly name: string; readonly credential: string; readonly answer: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/inputs/nodes/credentials.json', import.meta.url), 'utf8'),
) as Vectors;

/** Judges a credential as the gateway does: `malformed`, `forged`, what is said of the clock, or `right`. */
function judge(credential: string): string {
  const presented = parseNodeCredential(credential);
  if (!presented) return 'malformed';
  if (!isSignedBy(vectors.public_key, presented, vectors.gateway_id)) return 'forged';
  return describeClock(presented.timestamp, vectors.gateway_clock_ms) ?? 'right';
}

describe('the credential of a node', () => {
  const expected: Readonly<Record<string, string>> = {
    right: 'right',
    '61 s behind': 'The clock of this node is 61 s behind',
    '61 s ahead': 'The clock of this node is 61 s ahead',
    '60 s behind exactly': 'right',
    'signed for another gateway': 'forged',
    'wrong signature AND clock off': 'forged',
    'last character of the nonce changed, same bytes': 'malformed',
    'padding in the signature': 'malformed',
    'S + L': 'forged',
    'nonce of 8 bytes': 'malformed',
  };

  it.each(vectors.cases.filter(({ name }) => name in expected))('[F-03] [F-04] $name', ({ name, credential }) => {
    expect(judge(credential)).toBe(expected[name]);
  });

  it('[F-04] with a time in seconds is refused with how far its clock is behind, in one short line', () => {
    const credential = vectors.cases.find(({ name }) => name === 'time as 1795694400')?.credential ?? '';
    expect(judge(credential)).toMatch(/^The clock of this node is \d+ s behind$/);
    expect(judge(credential).length).toBeLessThan(123);
  });

  it.each([
    ['node1', 'node1'],
    ['no node', 'node1..1795694400000.AAECAwQFBgcICQoLDA0ODw.AA'],
    ['an ID with capitals', `node1.Kitchen.1.AAECAwQFBgcICQoLDA0ODw.${'A'.repeat(86)}`],
    ['a time with a sign', `node1.a.-1.AAECAwQFBgcICQoLDA0ODw.${'A'.repeat(86)}`],
    ['one part more', `node1.a.1.AAECAwQFBgcICQoLDA0ODw.${'A'.repeat(86)}.x`],
    ['a very long nonce', `node1.a.1.${'A'.repeat(4_000)}.${'A'.repeat(86)}`],
    ['another scheme', `node2.a.1.AAECAwQFBgcICQoLDA0ODw.${'A'.repeat(86)}`],
  ])('[F-03] with %s is malformed', (_name, credential) => {
    expect(parseNodeCredential(credential)).toBeUndefined();
  });
});

describe('the public key of a device', () => {
  it.each([
    ['31 bytes', 31, 7],
    ['33 bytes', 33, 7],
    ['zeros, a point of small order', 32, 0],
  ])('[F-01] of %s is refused', (_name, length, fill) => {
    expect(isPublicKey(Buffer.alloc(length, fill).toString('base64url'))).toBe(false);
  });

  it('[F-01] is accepted in base64url alone', () => {
    expect(isPublicKey(vectors.public_key)).toBe(true);
    expect(isPublicKey(`${vectors.public_key}=`)).toBe(false);
    expect(isPublicKey('not a key')).toBe(false);
  });
});
