import { describe, expect, it } from 'vitest';
import { Me } from '../me.js';
import { findPlaceOf, listTroubles } from './troubles.js';

const makeMe = (scopes: readonly string[], all_tenants = true) =>
  new Me({ principal: 'ann', tenant: 'default', role: 'operator', all_tenants, scopes });
const ann = makeMe(['admin:read', 'audit:read']);

const find = (code: string, link: string, me = ann) => findPlaceOf({ code, link: `/admin/v1/${link}` }, me);

describe('a warning', () => {
  it('leads to the page that shows what its link names, with its filters', () => {
    expect(find('QUEUE_FULL', 'queue')).toEqual({ page: 'queue', ids: [], filters: {} });
    expect(find('DEAD_LETTERS', 'dead-letters?channel=telegram.a')).toEqual({
      page: 'dead-letters',
      ids: [],
      filters: { channel: 'telegram.a' },
    });
  });

  it('leads to its cause when its link names a call without a page, else nowhere', () => {
    expect(find('STORE_DOWN', 'status')).toEqual({ page: 'logs', filters: { subsystem: 'store' } });
    expect(find('MEMORY_LIMIT', 'connections')).toEqual({ page: 'config', filters: { q: 'limits.' } });
    expect(find('NEW_ONE', 'status')).toBeUndefined();
    expect(findPlaceOf({ code: 'NEW_ONE', link: 'https://evil.example/queue' }, ann)).toBeUndefined();
  });

  it('leads nowhere that the person cannot open', () => {
    expect(find('STORE_DOWN', 'status', makeMe(['admin:read'], false))).toBeUndefined();
    expect(find('QUEUE_FULL', 'queue', makeMe(['metrics:read']))).toBeUndefined();
  });

  it('stands before decisions if it is an error, and after them if not', () => {
    const make = (code: string, severity: 'error' | 'warning') =>
      ({ code, severity, since: 1, sentence: code, link: '/admin/v1/queue' }) as const;
    const approval = { approval_id: 'a', tool: 'http.fetch', expires_at: 2 };
    const troubles = listTroubles([make('W', 'warning'), make('E', 'error')], [approval], ann);
    expect(troubles.map((trouble) => (trouble.kind === 'warning' ? trouble.warning.code : trouble.kind))).toEqual([
      'E',
      'approvals',
      'W',
    ]);
  });
});
