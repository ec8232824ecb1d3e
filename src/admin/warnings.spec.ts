import { expect, it } from 'vitest';
import { ALL_TENANTS } from '../core/store/index.js';
import type { Principal } from '../core/identity/principal.js';
import { GatewayError } from '../protocol/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { WarningsService } from './warnings.service.js';

type Parts = ConstructorParameters<typeof WarningsService>;

/** Returns the sentences of a gateway of which only the store has a problem. */
function list(storeError: unknown): readonly string[] {
  const nothing = { list: () => [], states: new Map() };
  const config = { get: () => 100 };
  const all = [{}, nothing, config, {}, {}, nothing, nothing, {}, new ManualClock()];
  const warnings = new WarningsService(...(all as unknown as Parts));
  const facts = { storeError, waiting: 0, oldestAgeMs: 0, deadLetters: {}, expiring: [] };
  return warnings.list({ tenant: ALL_TENANTS } as Principal, facts).map(({ sentence }) => sentence);
}

it.each([
  ['database or disk is full', ': its disk is full'],
  ['database is locked', ': another process has locked it'],
  ['attempt to write a readonly database', ': it may not be written to'],
  ['disk I/O error', ': its disk fails'],
  ['/secret/path is odd', ''],
])('the warning of a store that cannot commit says why, when it is known: %s', (message, reason) => {
  const error = new GatewayError('STORE_UNAVAILABLE', {}, { cause: new Error(message) });
  expect(list(error)).toEqual([`The store cannot commit; messages are refused${reason}`]);
});

it('a store that commits is no warning', () => {
  expect(list(undefined)).toEqual([]);
});
