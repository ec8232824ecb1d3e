import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from './place.js';

describe('the place in an address', () => {
  it.each([
    {},
    { conversation: 's_ab-1' },
    { conversation: 'new', panel: 'list' as const },
    { conversation: 'a & b=ü#', message: 'm/1', panel: 'keys' as const },
    { conversation: 'a', surface: 'order-1', panel: 'keys' as const },
  ])('is read as it was written: %j', (place) => {
    expect(readPlace(writePlace(place))).toEqual(place);
  });

  it('is read from a link that was copied with a space', () => {
    expect(readPlace('#conversation=s_ab-1%20')).toEqual({ conversation: 's_ab-1' });
  });

  it.each([
    '',
    '#',
    '#code=abc',
    '#token=secret&gatewayUrl=ws://x/',
    '#panel=other',
    `#conversation=${'x'.repeat(257)}`,
  ])('holds nothing else: %s', (fragment) => {
    expect(readPlace(fragment)).toEqual({});
    expect(writePlace(readPlace(fragment))).toBe('');
  });
});
