import { describe, expect, it } from 'vitest';
import { readPlace, writePlace } from './place.js';

const read = (address: string) => readPlace('/claw/console', new URL(address, 'https://gateway.example'));

describe('the address of a place', () => {
  it('names the page, the thing, the filters and what is looked at', () => {
    const place = { page: 'sessions', ids: ['s_1/ä?'], filters: { q: 'a&b', mode: 'main' }, fragment: 'm_1 2' };
    const address = writePlace('/claw/console', place);
    expect(address).toBe('/claw/console/sessions/s_1%2F%C3%A4%3F?q=a%26b&mode=main#m_1%202');
    expect(read(address)).toEqual(place);
  });

  it('of the overview is that of the console', () => {
    expect(writePlace('/console', { filters: { q: '' } })).toBe('/console');
    expect(read('/claw/console')).toEqual({ page: '', ids: [], filters: {}, fragment: '' });
  });

  it('is read also when it is not well encoded', () => {
    expect(read('/claw/console/sessions/%E0%A4%A#%')).toMatchObject({ ids: ['%E0%A4%A'], fragment: '%' });
  });
});
