import { describe, expect, it } from 'vitest';
import { chooseNodeId, NODE_ID } from './node-id.js';
import { hashPairingCode, makePairingCode } from './pairing-code.js';

describe('the ID of a node', () => {
  const choose = (name: string, ...taken: string[]) => chooseNodeId(name, 'x7k2', (id) => taken.includes(id));

  it.each([
    ['Kitchen Mac', 'kitchen-mac'],
    ['Küche', 'kuche'],
    ['厨房', 'node-x7k2'],
    ['---', 'node-x7k2'],
    ['..', 'node-x7k2'],
    ['cron', 'cron'],
    ['  Ann’s  iPhone (2) ', 'ann-s-iphone-2'],
  ])('[F-02] of %s is %s', (name, nodeId) => {
    expect(choose(name)).toBe(nodeId);
  });

  it('[F-02] is made unique by a number, and has at most 64 characters with it', () => {
    expect(choose('Kitchen Mac', 'kitchen-mac')).toBe('kitchen-mac-2');
    expect(choose('Kitchen Mac', 'kitchen-mac', 'kitchen-mac-2')).toBe('kitchen-mac-3');
    const long = choose('a'.repeat(300));
    expect(long).toMatch(NODE_ID);
    expect(choose('a'.repeat(300), long)).toMatch(NODE_ID);
  });
});

describe('a pairing code', () => {
  it('[F-01] has ten characters of base32 in two groups, and is the same however a person types it', () => {
    const code = makePairingCode();
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(hashPairingCode(code.toLowerCase().replace('-', ' '))).toBe(hashPairingCode(code));
    expect(hashPairingCode('OI1L0-AAAAA')).toBe(hashPairingCode('01110-aaaaa'));
    expect(hashPairingCode('01110-AAAAB')).not.toBe(hashPairingCode('01110-AAAAA'));
  });
});
