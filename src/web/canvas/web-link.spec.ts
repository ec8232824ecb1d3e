import { describe, expect, it } from 'vitest';
import { isWebLink } from './web-link.js';

describe('an address that a surface wants to open', () => {
  it.each([['https://example.org/there'], ['HTTP://example.org']])('[Y-08] may be %s', (address) => {
    expect(isWebLink(address)).toBe(true);
  });

  it.each([
    ['javascript:alert(1)'],
    [' javascript:alert(1)//https://example.org'],
    ['file:///etc/hostname'],
    ['data:text/html,hi'],
    ['/chat'],
    [`https://example.org/${'x'.repeat(2_048)}`],
    [undefined],
  ])('[Y-08] is not %s', (address) => {
    expect(isWebLink(address)).toBe(false);
  });
});
