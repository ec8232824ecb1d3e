import { expect, it } from 'vitest';
import type { NodeStore } from '../core/store/index.js';
import { ManualClock } from '../testing/index.js';
import type { PresentedCredential, Verdict } from './credential-verifier.js';
import { NodeVerifier } from './node-verifier.js';
import { MAX_CHECKS_PER_MINUTE, SignatureChecks } from './signature-checks.js';

const at = (clientAddress: string) => ({ clientAddress }) as PresentedCredential['facts'];

it('[I-08] are bounded for each address and minute, over all kinds of credentials', () => {
  const clock = new ManualClock();
  const checks = new SignatureChecks(clock);
  for (let n = 0; n < MAX_CHECKS_PER_MINUTE; n++) checks.take(at('203.0.113.1'));
  expect(() => checks.take(at('203.0.113.1'))).toThrow('too many signatures');
  checks.take(at('203.0.113.2'));
  clock.advance(60_000);
  checks.take(at('203.0.113.1'));
});

it('[I-08] count those of devices, of which an address that has had too many asks the store for none', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const store = { findNode: () => Promise.resolve(void asked++) } as unknown as NodeStore;
  const verifier = new NodeVerifier(store, clock, new SignatureChecks(clock));
  const token = `node1.lamp.1.${'A'.repeat(22)}.${'A'.repeat(86)}`;
  const ask = async (): Promise<Verdict> =>
    verifier.verify({ credential: { kind: 'token', token }, facts: at('203.0.113.1') } as PresentedCredential);
  for (let n = 0; n < MAX_CHECKS_PER_MINUTE; n++) expect(await ask()).toHaveProperty('refused');
  await expect(ask()).rejects.toThrow('too many signatures');
  expect(asked).toBe(MAX_CHECKS_PER_MINUTE);
});
