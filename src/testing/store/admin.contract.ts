import { expect } from 'vitest';
import type { ErasedCounts, ErasurePosition, PersonPosition, SessionQuery } from '../../core/store/index.js';
import { QUESTION_CHANNEL } from '../../core/sessions/question-channel.js';
import { aFrame, aMessage, anApproval, anEnd, aPayload, aReply, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const NOTHING: ErasedCounts = { messages: 0, replies: 0, frames: 0, media: 0, memories: 0 };

/** Accepts a message of a sender in a direct chat of its own, in a tenant. */
function tell(bench: StoreBench, sender: string, { tenant = 'default', channel = 'test', content = 'hello' } = {}) {
  const session = aSession(`${tenant}-${channel}-${sender}`, { tenant, channel, keyParts: [sender] });
  const client = { tenant, principal: 'driver', clientId: 'c' };
  const messageId = `${sender}-${Math.random()}`;
  const payload = aPayload({ sender, channel, content });
  return bench.accept({ session, client, messageId, payload, receivedAt: bench.under.now() });
}

async function walk(bench: StoreBench, query: Omit<SessionQuery, 'limit'>): Promise<string[]> {
  const ids: string[] = [];
  let after: SessionQuery['after'];
  do {
    const page = await bench.store.listSessions({ ...query, after, limit: 2 });
    ids.push(...page.items.map(({ id }) => id));
    after = page.next;
  } while (after);
  return ids;
}

async function erase(bench: StoreBench, sender: string): Promise<ErasedCounts> {
  let erased = NOTHING;
  let after: ErasurePosition | undefined;
  do {
    const request = { tenant: 'default', channel: 'test', sender, erased, after, actor: 'boss' };
    ({ erased, next: after } = await bench.store.erasePerson(request));
  } while (after);
  return erased;
}

/** Tests of the reads and deletions of the administration. */
export const adminContract: Contract = {
  'lists waiting messages of a tenant, oldest first, and counts those that run': async (bench) => {
    const first = await tell(bench, 'ann');
    const [claim] = await bench.claim();
    const second = await tell(bench, 'ann');
    const third = await tell(bench, 'ben');
    await tell(bench, 'eve', { tenant: 'acme' });
    const page = await bench.store.listWaitingMessages({ tenant: 'default', limit: 1 });
    expect(claim?.message.messageRef).toBe(first.messageRef);
    expect(page).toMatchObject({ waiting: 2, running: 1, oldestAt: bench.under.now() });
    expect(page.items).toMatchObject([
      { messageRef: second.messageRef, sender: 'ann', position: 0, runningRef: first.messageRef },
    ]);
    const rest = await bench.store.listWaitingMessages({ tenant: 'default', after: page.next, limit: 1 });
    expect([rest.items.map(({ messageRef }) => messageRef), rest.next]).toEqual([[third.messageRef], undefined]);
    const none = await bench.store.listWaitingMessages({ tenant: 'default', channels: ['other'], limit: 9 });
    expect(none).toEqual({ items: [], waiting: 0, running: 0 });
  },

  '[TN-15] counts the sessions in use of a tenant and of channels': async (bench) => {
    await tell(bench, 'ann');
    await tell(bench, 'ben');
    await tell(bench, 'eve', { tenant: 'acme' });
    const count = (tenant: string, channels?: string[]) =>
      bench.store.countActiveSessions({ tenant, channels, activeSince: bench.under.now() });
    expect([await count('default'), await count('acme'), await count('other')]).toEqual([2, 1, 0]);
    expect([await count('default', ['test']), await count('default', ['other'])]).toEqual([2, 0]);
    for (const claim of await bench.claim()) await bench.finish(claim);
    expect(await count('default')).toBe(2);
    await bench.under.passTime(60_000);
    expect([await count('default'), await count('acme')]).toEqual([0, 0]);
  },

  'finds the life of a message of the tenant': async (bench) => {
    const claim = await bench.run();
    await bench.finish(claim);
    const { messageRef } = claim.message;
    const life = await bench.store.findMessageLife('default', messageRef);
    expect(life).toMatchObject({ status: 'done', message: { messageRef }, approvals: [], parts: [] });
    expect(life?.frames.map(({ type }) => type)).toEqual(['stream_end']);
    expect(await bench.store.findMessageLife('acme', messageRef)).toBeUndefined();
    expect(await bench.store.findMessageLife('default', 'm_none_1')).toBeUndefined();
  },

  'adds a row to the audit trail for each message that an operator cancels': async (bench) => {
    const { messageRef } = await tell(bench, 'ann');
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, bench.under.now(), 'boss');
    const rows = await bench.store.listAudit({ order: 'newest', limit: 1 });
    expect(rows).toMatchObject([{ actor: 'boss', action: 'message.cancel', target: messageRef }]);
  },

  'lists the sessions of a tenant, the newest first': async (bench) => {
    for (const sender of ['a', 'b', 'c']) await tell(bench, sender);
    await tell(bench, 'd', { tenant: 'acme' });
    await tell(bench, 'a', { channel: 'other' });
    const query = { tenant: 'default', order: 'created' } as const;
    const all = ['s_default-other-a', 's_default-test-c', 's_default-test-b', 's_default-test-a'];
    expect(await walk(bench, query)).toEqual(all);
    expect(await walk(bench, { ...query, channels: ['other'] })).toEqual([all[0]]);
    expect(await walk(bench, { ...query, participant: 'a' })).toEqual([all[0], all[3]]);
    expect(await walk(bench, { ...query, text: 'TEST-B' })).toEqual([all[2]]);
    expect(await walk(bench, { ...query, mode: 'group' })).toEqual([]);
    expect(await walk(bench, { ...query, activeSince: bench.under.now() + 1 })).toEqual([]);
  },

  'lists sessions with what waits and runs in each': async (bench) => {
    const { messageRef } = await tell(bench, 'ann');
    await tell(bench, 'ann');
    await tell(bench, 'ben');
    const list = async () => {
      const { items } = await bench.store.listSessions({ tenant: 'default', order: 'created', limit: 9 });
      return items.map(({ keyParts: [who], waiting, runningRef }) => [who, waiting, runningRef]);
    };
    expect(await list()).toEqual([
      ['ben', 1, undefined],
      ['ann', 2, undefined],
    ]);
    const claim = await bench.claimOne();
    expect(await list()).toEqual([
      ['ben', 1, undefined],
      ['ann', 1, messageRef],
    ]);
    await bench.finish(claim);
    expect((await list())[1]).toEqual(['ann', 1, undefined]);
  },

  'lists sessions by their newest message, as they were at the first page': async (bench) => {
    for (const sender of ['a', 'b', 'c', 'd', 'a']) await tell(bench, sender);
    const query = { tenant: 'default', order: 'active', limit: 2 } as const;
    const first = await bench.store.listSessions(query);
    await tell(bench, 'b');
    const second = await bench.store.listSessions({ ...query, after: first.next });
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect(ids).toEqual(['a', 'd', 'c', 'b'].map((sender) => `s_default-test-${sender}`));
  },

  'reads a session forward, and what is part of the context': async (bench) => {
    const refs = [];
    for (const content of ['1', '2', '3']) refs.push((await tell(bench, 'ann', { content })).messageRef);
    const session = 's_default-test-ann';
    const read = async (limit: number, after?: string) =>
      (await bench.store.readForward(session, limit, after)).map(({ messageRef }) => messageRef);
    expect(await read(2)).toEqual(refs.slice(0, 2));
    expect(await read(2, refs[1])).toEqual(refs.slice(2));
    expect(await bench.store.readCurrentContext(session, 2)).toMatchObject([
      { payload: { content: '2' } },
      { payload: { content: '3' } },
    ]);
    await bench.store.updateSession(session, { resetContext: true });
    expect(await bench.store.readCurrentContext(session, 2)).toEqual([]);
  },

  'deletes a session that is not busy, and continues its log when it begins again': async (bench) => {
    const claim = await bench.run();
    const { sessionId } = claim.message;
    const remove = () => bench.store.deleteSession('default', sessionId, 'boss');
    expect(await remove()).toBe('busy');
    await bench.finish(claim);
    expect(await bench.store.deleteSession('acme', sessionId, 'boss')).toBe('gone');
    expect(await bench.store.findSession(sessionId)).toBeDefined();
    expect(await remove()).toBe('gone');
    expect(await bench.store.findSession(sessionId)).toBeUndefined();
    expect(await bench.store.listAudit({ order: 'newest', limit: 1 })).toMatchObject([
      { actor: 'boss', action: 'session.delete', target: sessionId },
    ]);
    const again = await bench.store.accept(aMessage({ messageId: 'again' }), GENEROUS_LIMITS);
    expect(again).toMatchObject({ kind: 'accepted', sessionId, headSeq: 1 });
    const { firstSeq, headSeq } = await bench.store.readFrames(sessionId, 0, 10, 1_000);
    expect([firstSeq, headSeq]).toEqual([2, 1]);
    expect(await bench.store.hasFrame(sessionId, 1, bench.store.logEpoch)).toBe(true);
  },

  'lists people once for each channel, by their IDs': async (bench) => {
    for (const sender of ['b', 'a', 'b']) await tell(bench, sender);
    await tell(bench, 'a', { channel: 'other' });
    await tell(bench, 'c', { tenant: 'acme' });
    const people: string[] = [];
    let after: PersonPosition | undefined;
    do {
      const page = await bench.store.listPeople({ tenant: 'default', after, limit: 1 });
      people.push(...page.items.map(({ channel, sender }) => `${channel}/${sender}`));
      after = page.next;
    } while (after);
    expect(people).toEqual(['test/a', 'other/a', 'test/b']);
  },

  'replaces an erased person where a conversation of others says who has denied a call': async (bench) => {
    const asking = await bench.run({ messageId: 'asking' });
    const { messageRef, sessionId } = asking.message;
    const payload = aPayload({ channel: QUESTION_CHANNEL, sender: sessionId });
    const asked = await bench.run({
      messageId: 'asked',
      session: aSession('asked', { channel: QUESTION_CHANNEL }),
      payload,
    });
    const expiresAt = bench.under.now() + 60_000;
    await bench.store.openApproval(anApproval({ messageRef, sessionId, callId: 'c_1', expiresAt }));
    const person = { tenant: 'default', channel: 'test', sender: 'ben' };
    const rights = { may: 'always', decidedBy: 'Ben B.', actor: 'driver', person } as const;
    const by = aPayload({ sender: 'ben' });
    await bench.accept({
      ruling: { approvalId: 'a_1', decision: 'deny', ...rights },

      payload: by,
    });
    const result = (callId: string) =>
      JSON.stringify({ call_id: callId, ok: false, status: 'denied', decided_by: 'Ben B.' });
    for (const claim of [asking, asked]) {
      const names = { message_ref: claim.message.messageRef };
      const status = { ...names, call_id: 'c_1', status: 'denied', decided_by: 'Ben B.' };
      const block = { block_id: 'b1', block_type: 'tool_result' as const, content: result('c_1') };
      const other = { block_id: 'b2', block_type: 'tool_result' as const, content: result('c_2') };
      const frames = [
        aFrame(claim, '', { type: 'tool_status', payload: JSON.stringify(status) }),
        ...[block, other].map((one) => aFrame(claim, '', { payload: JSON.stringify({ ...names, ...one }) })),
      ];
      const end = { decided_by: 'Ben B.' };
      const body = JSON.stringify({ callId: 'c_1', outcome: { ok: false }, end });
      await bench.store.append(claim.lease, { frames, journal: [{ step: 0, kind: 'tool_result', body }] });
      await bench.store.finish(claim.lease, anEnd(claim, { reply: aReply({ blocks: [block, other] }) }));
    }
    await erase(bench, 'ben');
    for (const claim of [asking, asked]) {
      const { message } = claim;
      const shown = JSON.stringify([
        (await bench.log(message.sessionId)).map((frame) => frame.payload),
        (await bench.store.readHistory(message.sessionId, 9)).messages,
        (await bench.store.readTurn(message.messageRef)).steps,
      ]);
      // Once in each of the frames, the block, the reply and the journal; the call that somebody else denied keeps its name.
      expect([message.messageId, shown.match(/decided_by\\*":\\*"p_/g)?.length]).toEqual([message.messageId, 4]);
      expect(shown.match(/Ben B\./g)).toHaveLength(2);
    }
  },

  'erases a person, leaves a dense log, and names the messages that have to end first': async (bench) => {
    const { messageRef } = await tell(bench, 'ann', { content: 'secret' });
    const [claim] = await bench.claim();
    const request = { tenant: 'default', channel: 'test', sender: 'ann', erased: NOTHING, actor: 'boss' };
    expect(await bench.store.erasePerson(request)).toMatchObject({ unfinished: [messageRef] });
    if (claim) await bench.finish(claim);
    expect(await erase(bench, 'ann')).toEqual({ ...NOTHING, messages: 1, replies: 1, frames: 1 });
    const session = 's_default-test-ann';
    const { frames } = await bench.store.readFrames(session, 0, 10, 1_000);
    expect(frames).toMatchObject([{ seq: 1, type: 'stream_end', payload: '{}' }]);
    expect(await bench.store.readForward(session, 10)).toMatchObject([{ payload: { content: '' } }]);
    expect(await bench.store.listPeople({ tenant: 'default', limit: 10 })).toEqual({ items: [] });
    expect(await bench.store.listAudit({ order: 'newest', limit: 1 })).toMatchObject([
      { actor: 'boss', action: 'person.erase' },
    ]);
    expect(await erase(bench, 'ann')).toEqual(NOTHING);
  },
};
