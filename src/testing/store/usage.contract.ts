import { expect } from 'vitest';
import { ALL_TENANTS, USAGE_PERIOD_MS, type Claim, type StepUsage } from '../../core/store/index.js';
import { aClient, aMessage, anEnd, aPayload, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const AT = 1_800_000_000_000;
const ALL = { from: AT, to: AT + USAGE_PERIOD_MS };

function aStepUsage(changes: Partial<StepUsage> = {}): StepUsage {
  return {
    ...{ tenant: 'default', channel: 'test', sender: 'alice', agent: 'main', model: 'local/one', at: AT },
    ...{ inputTokens: 100, cachedTokens: 40, outputTokens: 10, cost: 0.5 },
    ...changes,
  };
}

/** Writes answers as steps of a turn. */
const record = (bench: StoreBench, claim: Claim, ...usages: StepUsage[]) =>
  bench.store.append(claim.lease, {
    frames: [],
    journal: usages.map((usage, step) => ({ step, kind: 'answer' as const, body: '{}', usage })),
  });

const ofAcme = { client: aClient({ tenant: 'acme' }), session: aSession('acme', { tenant: 'acme' }) };

export const usageContract: Contract = {
  '[TN-05] sums what answers have used by tenant, agent and model, whatever becomes of their turn': async (bench) => {
    const claim = await bench.run();
    await record(bench, claim, aStepUsage(), aStepUsage({ model: 'local/two' }), aStepUsage({ agent: 'ops' }));
    await bench.store.finish(claim.lease, anEnd(claim, { status: 'failed' }));
    const acme = await bench.run(ofAcme);
    const step = { step: 0, kind: 'answer' as const, body: '{}', usage: aStepUsage({ tenant: 'acme' }) };
    await bench.store.finish(acme.lease, anEnd(acme, { status: 'cancelled', journal: [step] }));
    const three = { answers: 3, inputTokens: 300, cachedTokens: 120, outputTokens: 30, cost: 1.5 };
    const one = { answers: 1, inputTokens: 100, cachedTokens: 40, outputTokens: 10, cost: 0.5 };
    const two = { answers: 2, inputTokens: 200, cachedTokens: 80, outputTokens: 20, cost: 1 };
    expect(await bench.store.sumUsage({ tenant: ALL_TENANTS, ...ALL }, 'tenant')).toEqual([
      { tenant: 'acme', name: '', ...one },
      { tenant: 'default', name: '', ...three },
    ]);
    expect(await bench.store.sumUsage({ tenant: 'default', ...ALL }, 'model')).toEqual([
      { tenant: 'default', name: 'local/one', ...two },
      { tenant: 'default', name: 'local/two', ...one },
    ]);
    expect(await bench.store.sumUsage({ tenant: 'default', ...ALL }, 'agent')).toEqual([
      { tenant: 'default', name: 'main', ...two },
      { tenant: 'default', name: 'ops', ...one },
    ]);
    expect(await bench.store.listTenants()).toEqual(['acme', 'default']);
  },

  'counts usage by the period that a time lies in, and writes none of a fenced turn': async (bench) => {
    const claim = await bench.run();
    await record(bench, claim, aStepUsage(), aStepUsage({ at: AT + USAGE_PERIOD_MS }));
    const fenced = { ...claim, lease: { ...claim.lease, epoch: claim.lease.epoch + 1 } };
    await record(bench, fenced, aStepUsage());
    const answersOf = async (from: number, to: number) =>
      (await bench.store.sumUsage({ tenant: 'default', from, to }, 'tenant'))[0]?.answers;
    expect(await answersOf(AT + 1, AT + USAGE_PERIOD_MS)).toBe(1);
    expect(await answersOf(AT, AT + 2 * USAGE_PERIOD_MS)).toBe(2);
    expect(await answersOf(AT + 2 * USAGE_PERIOD_MS, AT + 3 * USAGE_PERIOD_MS)).toBeUndefined();
  },

  'lists the usage of senders in pages, and forgets that of an erased person': async (bench) => {
    const claim = await bench.run();
    await record(bench, claim, ...['alice', 'bob', 'alice'].map((sender) => aStepUsage({ sender })));
    await bench.finish(claim);
    const query = { tenant: 'default', ...ALL, limit: 1 };
    const { items, next } = await bench.store.listSenderUsage(query);
    expect(items).toMatchObject([{ channel: 'test', sender: 'alice', answers: 2, cost: 1 }]);
    expect(await bench.store.listSenderUsage({ ...query, limit: 9, after: next })).toMatchObject({
      items: [{ sender: 'bob', answers: 1 }],
    });
    expect((await bench.store.listSenderUsage({ ...query, tenant: 'acme' })).items).toEqual([]);
    const erased = { messages: 0, replies: 0, frames: 0, media: 0, memories: 0 };
    await bench.store.erasePerson({ tenant: 'default', channel: 'test', sender: 'alice', erased, actor: 'ann' });
    expect((await bench.store.listSenderUsage({ ...query, limit: 9 })).items).toMatchObject([{ sender: 'bob' }]);
    expect(await bench.store.sumUsage({ tenant: 'default', ...ALL }, 'tenant')).toMatchObject([{ answers: 3 }]);
  },

  '[TN-06] refuses new messages of a tenant that has as many as it may, and takes repeats': async (bench) => {
    const first = aMessage();
    const limits = { ...GENEROUS_LIMITS, perTenant: 1 };
    expect(await bench.store.accept(first, limits)).toMatchObject({ kind: 'accepted' });
    expect(await bench.store.accept(aMessage({ client: aClient({ principal: 'other' }) }), limits)).toEqual({
      kind: 'full',
      limit: 'perTenant',
    });
    expect(await bench.store.accept(aMessage(ofAcme), limits)).toMatchObject({ kind: 'accepted' });
    expect(await bench.store.accept(first, { ...limits, perTenant: 0 })).toMatchObject({ kind: 'duplicate' });
    const observed = aMessage({ isAddressed: false, payload: aPayload({ observe: true }) });
    expect(await bench.store.accept(observed, { ...limits, perTenant: 0 })).toMatchObject({ status: 'observed' });
    expect(await bench.store.countQueuedSince('default', AT, 10, 'agent')).toBe(1);
    expect(await bench.store.countQueuedSince('default', AT + 1, 10, 'agent')).toBe(0);
    expect(await bench.store.countQueuedSince('default', AT, 10, 'test')).toBe(0);
  },

  '[TN-07] claims no more messages of a tenant than it has room for, and those of others meanwhile': async (bench) => {
    for (const name of ['a', 'b', 'c']) await bench.accept({ messageId: name, session: aSession(name) });
    await bench.accept({ ...ofAcme, messageId: 'other' });
    const claimed = async (rooms?: ReadonlyMap<string, number>) => {
      const { replicaId } = bench.under;
      const { claims } = await bench.store.claim({ replicaId, limit: 10, leaseMs: 10_000, rooms });
      return claims.map(({ message }) => message.messageId);
    };
    expect(await claimed(new Map([['default', 1]]))).toEqual(['a', 'other']);
    expect(await claimed(new Map([['default', 0]]))).toEqual([]);
    await bench.accept({ messageId: 'urgent', session: aSession('c'), priority: 10 });
    expect(await claimed(new Map([['default', 1]]))).toEqual(['urgent']);
    expect(await claimed()).toEqual(['b']);
  },
};
