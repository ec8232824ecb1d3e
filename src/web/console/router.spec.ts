import { describe, expect, it } from 'vitest';
import { Router } from './router.js';

/** A router in a window at an address. */
function openAt(address: string) {
  const location = new URL(address, 'https://gateway.example');
  const visited: string[] = [];
  const go = (how: string) => (_state: unknown, _title: string, next: string) => {
    location.href = new URL(next, location).href;
    visited.push(`${how} ${next}`);
  };
  const router = new Router('/console', { location, history: { pushState: go('push'), replaceState: go('replace') } });
  return { router, visited };
}

describe('the ways through the console', () => {
  it('change a filter and keep the others, and drop one that is empty', () => {
    const { router, visited } = openAt('/console/sessions?q=a&mode=main');
    router.filter({ q: '', channel: 'test' });
    router.filter({ q: 'typed' }, 'replace');
    expect(visited).toEqual([
      'push /console/sessions?mode=main&channel=test',
      'replace /console/sessions?mode=main&channel=test&q=typed',
    ]);
    expect(router.place.filters).toEqual({ q: 'typed', mode: 'main', channel: 'test' });
  });

  it('stay in the tenant that was chosen', () => {
    const { router } = openAt('/console/sessions?tenant=acme&q=a');
    expect(router.link({ page: 'queue' })).toBe('/console/queue?tenant=acme');
    router.filter({ tenant: '' });
    expect([router.place.filters, router.link({})]).toEqual([{ q: 'a' }, '/console']);
  });

  it('report the place to which they have led, once for each', () => {
    const { router } = openAt('/console');
    const pages: string[] = [];
    router.changed.subscribe(({ page }) => pages.push(page));
    router.go(router.link({ page: 'sessions', ids: ['s_1'] }));
    router.read();
    expect(pages).toEqual(['sessions', 'sessions']);
  });
});
