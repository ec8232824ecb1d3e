import { expect } from 'vitest';
import type { MediaRecord, SettingsChange } from '../../core/store/index.js';
import { anApproval, anEnd } from '../factories.js';
import type { Contract } from './bench.js';

const change = (values: SettingsChange['values']): SettingsChange => ({
  values,
  actor: 'ann',
  before: '{}',
  after: '{}',
});

/** Settings changed at run time. */
export const settingsContract: Contract = {
  'has no changes and version 0 at first': async ({ store }) => {
    expect(await store.readSettings()).toEqual({ version: 0, values: {} });
  },

  'stores changes, removes them by null, and counts versions': async ({ store, under }) => {
    expect(await store.changeSettings(0, change({ a: '1', b: '2' }))).toEqual({
      version: 1,
      values: { a: '1', b: '2' },
    });
    expect(await store.changeSettings(1, change({ a: null, b: '3' }))).toEqual({ version: 2, values: { b: '3' } });
    await under.crash();
    expect(await under.store.readSettings()).toEqual({ version: 2, values: { b: '3' } });
  },

  'changes nothing on a stale version, and only one of two that race': async ({ store }) => {
    const outcomes = await Promise.all([
      store.changeSettings(0, change({ a: '1' })),
      store.changeSettings(0, change({ a: '2' })),
    ]);
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
    expect((await store.readSettings()).version).toBe(1);
  },
};

/** An entry that the gateway has set in Tailscale. */
export const tailscaleContract: Contract = {
  'keeps each target of a host and port once, until it is forgotten': async ({ store, under }) => {
    const entry = { host: 'gw.tail1234.ts.net', port: 443, target: 'http://127.0.0.1:18789', mode: 'serve' } as const;
    const other = { ...entry, port: 8_443, mode: 'funnel' } as const;
    const next = { ...entry, target: 'unix:/tmp/tailscale.sock' } as const;
    for (const one of [next, other, { ...entry, mode: 'funnel' } as const, entry]) await store.keepTailscaleEntry(one);
    await under.crash();
    expect(await under.store.listTailscaleEntries()).toEqual([entry, next, other]);
    for (const one of [entry, entry, next]) await under.store.forgetTailscaleEntry(one);
    expect(await under.store.listTailscaleEntries()).toEqual([other]);
  },
};

/** Approvals of tool calls. */
export const approvalsContract: Contract = {
  'returns the existing approval to a call that asks again': async ({ store, under }) => {
    expect(await store.openApproval(anApproval())).toEqual(anApproval());
    const explained = anApproval({ approvalId: 'a_3', callId: 'c_3', shown: 'Pays 5 EUR to Ann' });
    expect(await store.openApproval(explained)).toEqual(explained);
    await under.crash();
    expect(await under.store.openApproval(anApproval({ approvalId: 'a_2' }))).toEqual(anApproval());
    expect(await under.store.findApproval('default', 'a_3')).toEqual(explained);
  },

  'lets the first decision stand, over restarts': async ({ store, under }) => {
    await store.openApproval(anApproval());
    expect(await store.decideApproval('a_1', 'allow', 'ann')).toMatchObject({ decision: 'allow', isNew: true });
    expect(await store.decideApproval('a_1', 'allow', 'ann')).toMatchObject({ decision: 'allow', isNew: false });
    await under.crash();
    expect(await under.store.decideApproval('a_1', 'deny', 'bob')).toMatchObject({
      decision: 'allow',
      decidedBy: 'ann',
      isNew: false,
    });
    expect(await under.store.decideApproval('a_9', 'deny', 'bob')).toBeUndefined();
  },

  '[V-23] a message that is a decision is carried out and ended by the commit that stores it, once': async (bench) => {
    const { messageRef, sessionId } = await bench.accept();
    const expiresAt = bench.under.now() + 60_000;
    await bench.store.openApproval(anApproval({ messageRef, sessionId, expiresAt }));
    const ruling = {
      approvalId: 'a_1',
      decision: 'allow',
      may: 'own',
      decidedBy: 'Alice',
      actor: 'channel:x',
      person: { tenant: 'default', channel: 'x', sender: 'alice' },
    } as const;
    const rule = (changes: object = {}, more: object = {}) =>
      bench.accept({ ruling: { ...ruling, ...changes }, ...more });
    const textOf = ({ reply = [] }: { readonly reply?: readonly { readonly payload: string }[] }) =>
      reply.flatMap(({ payload }) => (JSON.parse(payload) as { content?: string }).content ?? []).join();
    expect(textOf(await rule({ may: 'never' }))).toContain('Only the person who asked');
    expect(textOf(await rule({ approvalId: 'a_9' }))).toContain('There is no such call');
    const decided = await rule({}, { messageId: 'ruling' });
    expect(decided).toMatchObject({ kind: 'accepted', status: 'queued', reply: [{ type: 'stream_end' }] });
    expect(textOf(await rule({ decision: 'deny' }))).toContain('It is too late: the decision was "allow"');
    await bench.under.crash();
    expect(await bench.store.findApproval('default', 'a_1')).toMatchObject({ decision: 'allow', decidedBy: 'Alice' });
    const [row] = await bench.store.listAudit({ action: 'approval.decide', order: 'newest', limit: 1 });
    expect(row).toMatchObject({ actor: 'channel:x', person: ruling.person, target: 'a_1' });
    const page = await bench.store.readFrames(sessionId, 0, 100, 1_000_000);
    expect(page.frames.map(({ type }) => type)).toEqual([
      ...['stream_block', 'stream_end'],
      ...['stream_block', 'stream_end'],
      'stream_end',
      ...['stream_block', 'stream_end'],
    ]);
    expect((await bench.claimOne()).message.messageRef).toBe(messageRef);
  },

  'names a person who decided until the person is erased, then the ID of the audit trail': async (bench) => {
    const person = { tenant: 'default', channel: 'x', sender: 'alice' };
    const { messageRef, sessionId } = await bench.accept();
    const expiresAt = bench.under.now() + 60_000;
    await bench.store.openApproval(anApproval({ messageRef, sessionId, expiresAt }));
    const rights = { may: 'always', decidedBy: 'Alice', actor: 'channel:x', person } as const;
    await bench.accept({ messageId: 'ruling', ruling: { approvalId: 'a_1', decision: 'deny', ...rights } });
    const readDecider = async () => (await bench.store.findApproval('default', 'a_1'))?.decidedBy;
    expect(await readDecider()).toBe('Alice');
    await bench.store.eraseAuditPerson(person, 'ann');
    expect(await readDecider()).toMatch(/^p_/);
  },

  'lists the pending approvals of a tenant, oldest first': async ({ store }) => {
    for (const n of [1, 2, 3]) await store.openApproval(anApproval({ approvalId: `a_${n}`, callId: `c_${n}` }));
    await store.openApproval(anApproval({ approvalId: 'a_4', callId: 'c_4', tenant: 'acme' }));
    await store.decideApproval('a_2', 'deny', 'ann');
    expect((await store.listPendingApprovals('default')).map((pending) => pending.approvalId)).toEqual(['a_1', 'a_3']);
    expect(await store.findApproval('default', 'a_4')).toBeUndefined();
  },

  'expires the approval of a call that never starts, with the end of its turn': async (bench) => {
    const { store } = bench;
    const claim = await bench.run();
    for (const n of [1, 2, 3]) await store.openApproval(anApproval({ approvalId: `a_${n}`, callId: `c_${n}` }));
    await store.decideApproval('a_1', 'deny', 'ann');
    const end = anEnd(claim, { expiredCalls: ['c_1', 'c_2', 'c_9'] });
    await store.finish({ ...claim.lease, epoch: claim.lease.epoch + 1 }, end);
    expect(await store.listPendingApprovals('default')).toHaveLength(2);
    await store.finish(claim.lease, end);
    expect(await store.findApproval('default', 'a_1')).toMatchObject({ decision: 'deny' });
    expect(await store.decideApproval('a_2', 'allow', 'ann')).toMatchObject({ decision: 'expired' });
    expect((await store.listPendingApprovals('default')).map((pending) => pending.approvalId)).toEqual(['a_3']);
    const audit = await store.listAudit({ action: 'approval.decide', order: 'oldest', limit: 10 });
    expect(audit.map(({ actor, target }) => `${target} by ${actor}`)).toEqual(['a_1 by ann', 'a_2 by gateway']);
  },
};

const media = (changes: Partial<MediaRecord> = {}): MediaRecord => ({
  mediaId: 'f_1',
  tenant: 'default',
  principal: 'ann',
  mimeType: 'image/png',
  sizeBytes: 3,
  createdAt: 100,
  ...changes,
});

const NO_QUOTA = { since: 0, maxBytes: Number.MAX_SAFE_INTEGER };

/** The records of uploaded files. */
export const mediaContract: Contract = {
  'stores a file under its tenant': async ({ store, under }) => {
    await store.addMedia(media(), NO_QUOTA);
    await under.crash();
    expect(await under.store.findMedia('default', 'f_1')).toEqual(media());
    expect(await under.store.findMedia('acme', 'f_1')).toBeUndefined();
  },

  'assigns a file to one session permanently': async ({ store }) => {
    await store.addMedia(media(), NO_QUOTA);
    await store.assignMedia(['f_1', 'f_9'], 's_1');
    await store.assignMedia(['f_1'], 's_2');
    expect(await store.findMedia('default', 'f_1')).toEqual(media({ sessionId: 's_1' }));
  },

  '[N-12] adds no upload that exceeds the quota of its principal, and sums what counts': async ({ store }) => {
    const add = (mediaId: string, createdAt: number, changes: Partial<MediaRecord> = {}) =>
      store.addMedia(media({ mediaId, createdAt, sizeBytes: 40, ...changes }), { since: 100, maxBytes: 100 });
    expect(await add('f_old', 100)).toBe(true);
    expect(await add('f_1', 101)).toBe(true);
    expect(await add('f_2', 102)).toBe(true);
    expect(await add('f_3', 103)).toBe(false);
    expect(await add('f_other', 103, { principal: 'bob' })).toBe(true);
    expect(await store.findMedia('default', 'f_3')).toBeUndefined();
    expect(await store.sumUploads('default', media().principal, 100)).toEqual({ bytes: 80, oldestAt: 101 });
    expect(await store.sumUploads('default', 'carol', 100)).toEqual({ bytes: 0, oldestAt: undefined });
    expect(await store.listUnknownMedia(['f_1', 'f_3', 'f_9'])).toEqual(['f_3', 'f_9']);
  },

  'lists files that no message claimed in time, and files whose session is gone': async (bench) => {
    const { sessionId } = await bench.accept();
    for (const mediaId of ['f_old', 'f_new', 'f_kept', 'f_orphan']) {
      await bench.store.addMedia(media({ mediaId, createdAt: mediaId === 'f_new' ? 300 : 100 }), NO_QUOTA);
    }
    await bench.store.assignMedia(['f_kept'], sessionId);
    await bench.store.assignMedia(['f_orphan'], 's_gone');
    expect([...(await bench.store.listExpiredMedia(200))].sort()).toEqual(['f_old', 'f_orphan']);
    await bench.store.forgetMedia(['f_old', 'f_orphan']);
    expect(await bench.store.listExpiredMedia(200)).toEqual([]);
  },
};

/** Reactions to messages. */
export const reactionContract: Contract = {
  'stores a reaction once, until it is removed': async (bench) => {
    const { messageRef, sessionId } = await bench.accept();
    const [ann, bob] = [
      { sender: 'ann', emoji: '👍' },
      { sender: 'bob', emoji: '👍' },
    ];
    for (const reaction of [ann, ann, bob]) await bench.store.changeReaction(messageRef, reaction, 'added');
    const read = async () => (await bench.store.readHistory(sessionId, 1)).messages[0]?.reactions;
    expect(await read()).toEqual(expect.arrayContaining([ann, bob]));
    expect(await read()).toHaveLength(2);
    await bench.store.changeReaction(messageRef, ann, 'removed');
    expect(await read()).toEqual([bob]);
  },

  'removes all reactions of a sender to a message at once': async (bench) => {
    const { messageRef, sessionId } = await bench.accept();
    const bob = { sender: 'bob', emoji: '👍' };
    for (const reaction of [bob, { ...bob, sender: 'ann' }, { sender: 'ann', emoji: '🎉' }])
      await bench.store.changeReaction(messageRef, reaction, 'added');
    await bench.store.changeReaction(messageRef, { sender: 'ann', emoji: '' }, 'removed');
    expect((await bench.store.readHistory(sessionId, 1)).messages[0]?.reactions).toEqual([bob]);
  },
};
