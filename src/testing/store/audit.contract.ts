import { expect } from 'vitest';
import { verifyAuditTrail } from '../../core/audit/audit-chain.js';
import { DAY_MS } from '../../core/time/clock.js';
import type { AuditQuery, AuditRow } from '../../core/store/index.js';
import type { Contract, StoreBench } from './bench.js';

const rowsOf = (bench: StoreBench, query: Partial<AuditQuery> = {}): Promise<readonly AuditRow[]> =>
  bench.store.listAudit({ order: 'oldest', limit: 100, ...query });

const verify = ({ store }: StoreBench) => verifyAuditTrail(store);

async function changeSettings({ store }: StoreBench, actor = 'ann'): Promise<void> {
  const { version } = await store.readSettings();
  await store.changeSettings(version, { values: { a: `${version}` }, actor, before: '{"a":1}', after: '{"a":2}' });
}

async function openApproval({ store }: StoreBench, tenant = 'default'): Promise<void> {
  await store.openApproval({
    approvalId: `a_${tenant}`,
    tenant,
    sessionId: 's_alice',
    messageRef: 'm',
    callId: `c_${tenant}`,
    tool: 'test.pay',
    arguments: '{"card":"4111"}',
    argumentsSha256: '0'.repeat(64),
    expiresAt: 5,
  });
}

async function sweepAudit({ store }: StoreBench, auditBefore: number): Promise<void> {
  while (await store.sweep({ framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined, auditBefore }));
}

/** The audit trail of administrative changes. */
export const auditContract: Contract = {
  'is empty and intact at first': async (bench) => {
    expect(await rowsOf(bench)).toEqual([]);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 0, oldest: 1 });
  },

  '[I-52] verifies after its oldest rows were swept, and says so itself': async (bench) => {
    for (let day = 0; day < 4; day++) {
      await changeSettings(bench);
      await changeSettings(bench);
      await bench.under.passTime(DAY_MS);
    }
    const sweep = (ageMs: number) => sweepAudit(bench, bench.under.now() - ageMs);
    await sweep(3.5 * DAY_MS);
    expect(await rowsOf(bench)).toHaveLength(8);
    await sweep(2 * DAY_MS);
    const [first, ...rest] = await rowsOf(bench);
    expect(first).toMatchObject({ sequence: 5 });
    const { previousHash: hash } = first as AuditRow;
    const swept = {
      actor: 'gateway',
      action: 'audit.retention',
      after: JSON.stringify({ cut_entry: 4, cut_hash: hash }),
    };
    expect(rest.at(-1)).toMatchObject({ sequence: 9, tenant: '*', ...swept });
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 9, oldest: 5 });
    await bench.under.passTime(9 * DAY_MS);
    await sweep(DAY_MS);
    await bench.under.crash();
    expect((await rowsOf(bench)).map(({ action }) => action)).toEqual(['audit.retention', 'audit.retention']);
    await changeSettings(bench);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 11, oldest: 9 });
  },

  'sweeps in portions': async (bench) => {
    const note = { tenant: '*', actor: 'ann', action: 'x.y', target: 't', before: 'null', after: 'null' };
    await Promise.all(Array.from({ length: 1_200 }, () => bench.store.recordAudit(note)));
    await bench.under.passTime(3 * DAY_MS);
    const limits = { framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined, auditBefore: bench.under.now() };
    expect(await bench.store.sweep(limits)).toBe(true);
    const [first] = await rowsOf(bench, { limit: 1 });
    expect(first?.sequence).toBeGreaterThan(50);
    expect(first?.sequence).toBeLessThanOrEqual(1_001);
    await sweepAudit(bench, bench.under.now());
    expect(await verify(bench)).toMatchObject({ kind: 'intact' });
    // One row about each portion.
    expect((await rowsOf(bench)).length).toBeLessThan(25);
  },

  'deletes approvals that expired long ago, and those of a deleted session': async (bench) => {
    await openApproval(bench);
    await openApproval(bench, 'acme');
    const limits = { framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined };
    await bench.store.sweep({ ...limits, approvalsBefore: 5 });
    expect(await bench.store.findApproval('acme', 'a_acme')).toBeDefined();
    await bench.store.sweep({ ...limits, approvalsBefore: 6 });
    expect(await bench.store.findApproval('acme', 'a_acme')).toBeUndefined();

    await bench.finish(await bench.run());
    await openApproval(bench);
    const later = Number.MAX_SAFE_INTEGER;
    while (await bench.store.sweep({ framesBefore: later, dedupeBefore: later, sessionsBefore: later }));
    expect(await bench.store.findApproval('default', 'a_default')).toBeUndefined();
  },

  'has a row for a change of settings, and none for a stale one': async (bench) => {
    await changeSettings(bench);
    await bench.store.changeSettings(7, { values: { a: '3' }, actor: 'bob', before: '{}', after: '{}' });
    const change = { actor: 'ann', action: 'settings.change', target: 'settings', before: '{"a":1}', after: '{"a":2}' };
    expect(await rowsOf(bench)).toMatchObject([{ sequence: 1, at: bench.under.now(), tenant: '*', ...change }]);
  },

  'has a row for the first decision on an approval, without its arguments': async (bench) => {
    await openApproval(bench, 'acme');
    for (let n = 0; n < 2; n++) await bench.store.decideApproval('a_acme', 'allow', 'ann');
    await bench.store.decideApproval('a_acme', 'deny', 'bob');
    const [row, ...more] = await rowsOf(bench);
    expect(row).toMatchObject({ tenant: 'acme', actor: 'ann', action: 'approval.decide', target: 'a_acme' });
    expect(JSON.parse(row?.after ?? '')).toMatchObject({ tool: 'test.pay', decision: 'allow' });
    expect(JSON.stringify(row)).not.toContain('4111');
    expect(more).toEqual([]);
  },

  'has a row for an administrative change of a session, and none for one of the conversation itself': async (bench) => {
    await bench.accept();
    await bench.store.updateSession('s_alice', { toolPermissions: ['pay'] }, 'ann');
    await bench.store.updateSession('s_alice', { mode: 'queue', resetContext: true });
    await bench.store.updateSession('s_unknown', { mode: 'queue' }, 'ann');
    const [row, ...more] = await rowsOf(bench);
    expect(row).toMatchObject({ tenant: 'default', actor: 'ann', action: 'session.update', target: 's_alice' });
    expect([row?.before, row?.after]).toEqual(['{"toolPermissions":[]}', '{"toolPermissions":["pay"]}']);
    expect(more).toEqual([]);
  },

  'has a row for what changes nothing else, such as a call of a tool': async (bench) => {
    const note = {
      tenant: 'acme',
      actor: 'ann',
      action: 'tool.call',
      target: 'shell.run',
      before: 'null',
      after: '{}',
    };
    await bench.store.recordAudit(note);
    expect(await rowsOf(bench)).toMatchObject([{ sequence: 1, at: bench.under.now(), ...note }]);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 1, oldest: 1 });
  },

  'is one chain over all changes, even across a restart': async (bench) => {
    await bench.accept();
    await openApproval(bench);
    await Promise.all([
      changeSettings(bench),
      bench.store.decideApproval('a_default', 'deny', 'ann'),
      bench.store.updateSession('s_alice', { explicitActivation: true }, 'bob'),
    ]);
    await bench.under.crash();
    await changeSettings(bench, 'cid');
    expect((await rowsOf(bench)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 4, oldest: 1 });
  },

  '[I-50] is one chain of many changes at once': async (bench) => {
    const note = { tenant: '*', actor: 'ann', action: 'x.y', target: 't', before: 'null', after: 'null' };
    await Promise.all(Array.from({ length: 200 }, (_, n) => bench.store.recordAudit({ ...note, target: `t${n}` })));
    const [newest] = await rowsOf(bench, { order: 'newest', limit: 1 });
    expect(await bench.store.readAuditHead()).toEqual({ sequence: 200, hash: newest?.hash });
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 200, oldest: 1 });
  },

  '[I-53] names a person by an ID, which means no one after an erasure': async (bench) => {
    const person = { tenant: 'default', channel: 'telegram', sender: 'alice-5001' };
    const note = {
      tenant: '*',
      actor: 'ann',
      action: 'channel.pair',
      target: 'telegram',
      before: 'null',
      after: 'null',
    };
    for (let n = 0; n < 2; n++) await bench.store.recordAudit({ ...note, person });
    const [first, second] = await rowsOf(bench);
    expect(first).toMatchObject({ person, subject: second?.subject });
    expect(first?.body).not.toContain('alice');
    expect(await bench.store.eraseAuditPerson({ ...person, tenant: 'acme' }, 'bob')).toBe(false);
    expect(await bench.store.eraseAuditPerson(person, 'bob')).toBe(true);
    expect(await bench.store.eraseAuditPerson(person, 'bob')).toBe(false);
    await bench.store.recordAudit({ ...note, person });
    const [erased, , erasure, next] = await rowsOf(bench);
    expect([erased?.subject, erased?.person]).toEqual([first?.subject, undefined]);
    expect(erasure).toMatchObject({ actor: 'bob', action: 'person.erase', target: first?.subject });
    expect(JSON.stringify([erased, erasure])).not.toContain('alice');
    expect(next).toMatchObject({ person });
    expect(next?.subject).not.toBe(first?.subject);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 4, oldest: 1 });
  },

  'has no row for a change that could not be committed': async (bench) => {
    await changeSettings(bench);
    if (!bench.under.failNextCommit) return;
    bench.under.failNextCommit();
    await expect(changeSettings(bench)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await changeSettings(bench);
    expect(await rowsOf(bench)).toHaveLength(2);
    expect(await verify(bench)).toEqual({ kind: 'intact', rows: 2, oldest: 1 });
  },

  'is listed page by page, from either end': async (bench) => {
    for (let n = 0; n < 5; n++) await changeSettings(bench);
    const sequences = async (query: Partial<AuditQuery>) =>
      (await rowsOf(bench, query)).map(({ sequence }) => sequence);
    expect(await sequences({ limit: 2 })).toEqual([1, 2]);
    expect(await sequences({ limit: 2, after: 2 })).toEqual([3, 4]);
    expect(await sequences({ order: 'newest', limit: 3 })).toEqual([5, 4, 3]);
    expect(await sequences({ order: 'newest', limit: 3, after: 3 })).toEqual([2, 1]);
    expect(await sequences({ after: 5 })).toEqual([]);
  },

  'is listed by tenant, actor, action and time': async (bench) => {
    await changeSettings(bench);
    const later = bench.under.now() + 1_000;
    await bench.under.passTime(1_000);
    await openApproval(bench, 'acme');
    await bench.store.decideApproval('a_acme', 'allow', 'bob');
    const actors = async (query: Partial<AuditQuery>) => (await rowsOf(bench, query)).map(({ actor }) => actor);
    expect(await actors({ tenant: 'acme' })).toEqual(['bob']);
    expect(await actors({ tenant: 'default' })).toEqual([]);
    expect(await actors({ actor: 'ann' })).toEqual(['ann']);
    expect(await actors({ action: 'approval.decide' })).toEqual(['bob']);
    expect(await actors({ from: later })).toEqual(['bob']);
    expect(await actors({ to: later })).toEqual(['ann']);
    expect(await actors({ tenant: 'acme', actor: 'ann' })).toEqual([]);
  },
};
