import { expect } from 'vitest';
import { aClient, aMessage, aPayload, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract } from './bench.js';

const bob = aSession('bob');

/** Accepting messages, duplicates, and limits. */
export const acceptContract: Contract = {
  'returns the position and the session of a new message': async ({ store }) => {
    const first = await store.accept(aMessage({ priority: 5 }), GENEROUS_LIMITS);
    const second = await store.accept(aMessage({ priority: 1 }), GENEROUS_LIMITS);
    const messageRef = expect.any(String) as string;
    const place = {
      kind: 'accepted',
      messageRef,
      sessionId: 's_alice',
      mode: 'main',
      agent: 'main',
      status: 'queued',
      headSeq: 0,
    };
    expect(first).toEqual({ ...place, priority: 5, position: 0 });
    expect(second).toEqual({ ...place, priority: 1, position: 1 });
  },

  'counts messages of the same or a higher priority as ahead of a message': async (bench) => {
    for (const priority of [1, 5, 10] as const) await bench.accept({ priority });
    expect(await bench.accept({ priority: 10 })).toMatchObject({ position: 1 });
    expect(await bench.accept({ priority: 5 })).toMatchObject({ position: 3 });
    expect(await bench.accept({ priority: 1 })).toMatchObject({ position: 5 });
  },

  'keeps a message as it was sent': async (bench) => {
    const payload = aPayload({ content: 'naïve 🦞\n"quoted"', metadata: { deep: [1, { x: null }] }, attachments: [] });
    const message = aMessage({ payload, priority: 10 });
    const { messageRef } = await bench.accept(message);
    const { messageId, client, receivedAt } = message;
    const stored = { messageRef, messageId, client, sessionId: 's_alice', payload, priority: 10, receivedAt };
    expect(await bench.store.findMessage({ by: 'ref', tenant: 'default', messageRef })).toEqual(stored);
    expect(await bench.claimOne()).toMatchObject({ message: stored });
  },

  'gives each claim the session and the message as they are': async (bench) => {
    const receivedAt = bench.under.now();
    const first = await bench.run({ receivedAt });
    expect(first.session).toMatchObject({ hasSeveralParticipants: false, lastActive: receivedAt, headSeq: 0 });
    await bench.finish(first);
    await bench.accept({ receivedAt: receivedAt + 1 });
    await bench.store.updateSession('s_alice', { toolPermissions: ['fs'], model: 'a/b' });
    const changed = { toolPermissions: ['fs'], model: 'a/b', lastActive: receivedAt + 1, headSeq: 1 };
    const second = await bench.claimOne();
    expect(second.session).toEqual({ ...first.session, ...changed });
    await bench.finish(second);
    const payload = aPayload({ sender: 'bob', content: 'x'.repeat(5_000) });
    const third = await bench.run({ payload, receivedAt: receivedAt + 2 });
    expect(third.session).toMatchObject({ hasSeveralParticipants: true, lastActive: receivedAt + 2, headSeq: 2 });
    expect([third.message.payload, third.attempt]).toEqual([payload, 1]);
    expect(third.session).toEqual(await bench.store.findSession('s_alice'));
    await bench.store.release(third.lease);
    const again = await bench.claimOne();
    expect(again).toMatchObject({ message: { payload }, attempt: 2, interruptions: 0 });
    await bench.finish(again);
    const fourth = await bench.run({ payload, receivedAt: receivedAt + 3 });
    expect(fourth.session).toMatchObject({ lastActive: receivedAt + 3, headSeq: 3 });
  },

  'gives each of many claims its own message and session': async (bench) => {
    const names = Array.from({ length: 1_100 }, (_, index) => `${index}`);
    for (const round of ['first', 'second']) {
      const payloadOf = (name: string) => aPayload({ content: `${round} ${name}` });
      await Promise.all(names.map((name) => bench.accept({ session: aSession(name), payload: payloadOf(name) })));
      const cancelled = names
        .slice(0, 50)
        .map((name) => ({ by: 'session', tenant: 'default', sessionId: `s_${name}` }) as const);
      await Promise.all(cancelled.map((selector) => bench.store.cancel(selector, 0)));
      const claims = await bench.claim(names.length);
      const found = claims.map(({ session, message }) => [session.id, message.sessionId, message.payload.content]);
      expect(found).toEqual(names.slice(50).map((name) => [`s_${name}`, `s_${name}`, `${round} ${name}`]));
      await Promise.all(claims.map((claim) => bench.finish(claim)));
    }
  },

  'finds no message of another tenant, and none that was never accepted': async (bench) => {
    const { messageRef } = await bench.accept();
    expect(await bench.store.findMessage({ by: 'ref', tenant: 'other', messageRef })).toBeUndefined();
    expect(
      await bench.store.findMessage({ by: 'ref', tenant: 'default', messageRef: `${messageRef}0` }),
    ).toBeUndefined();
    expect(await bench.store.findMessage({ by: 'ref', tenant: 'default', messageRef: 'nonsense' })).toBeUndefined();
  },

  '[M-04] recognises a repeat, stores nothing, and names the same message': async (bench) => {
    const message = aMessage();
    const { messageRef } = await bench.accept(message);
    expect(await bench.store.accept(message, GENEROUS_LIMITS)).toMatchObject({
      kind: 'duplicate',
      messageRef,
      position: 0,
    });
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1 });
  },

  '[M-04] makes one message of repeats that arrive together': async (bench) => {
    const message = aMessage();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => bench.store.accept(message, GENEROUS_LIMITS)));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([
      'accepted',
      ...Array.from({ length: 7 }, () => 'duplicate'),
    ]);
    expect(new Set(outcomes.map((outcome) => 'messageRef' in outcome && outcome.messageRef)).size).toBe(1);
    expect(await bench.claim()).toHaveLength(1);
  },

  'returns the status of the message to a repeat': async (bench) => {
    const [first, second] = [aMessage(), aMessage()];
    await bench.accept(first);
    await bench.accept(second);
    const claim = await bench.claimOne();
    expect(await bench.store.accept(first, GENEROUS_LIMITS)).toMatchObject({
      status: 'running',
      position: 0,
      headSeq: 0,
    });
    expect(await bench.store.accept(second, GENEROUS_LIMITS)).toMatchObject({ status: 'queued', position: 0 });
    await bench.finish(claim);
    expect(await bench.store.accept(first, GENEROUS_LIMITS)).toMatchObject({ status: 'done', position: 0, headSeq: 1 });
  },

  '[M-05] refuses the same id with another body, and stores nothing': async (bench) => {
    const message = aMessage();
    await bench.accept(message);
    const others = [
      { session: bob, namesSession: true },
      { payload: aPayload({ content: 'another' }) },
      { payload: aPayload({ queue: 'q' }) },
    ];
    for (const other of others)
      expect(await bench.store.accept({ ...message, ...other }, GENEROUS_LIMITS)).toEqual({ kind: 'conflict' });
    expect(await bench.store.findSession('s_bob')).toBeUndefined();
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1 });
  },

  '[M-06] takes a repeat for the same message when its payload determines another session by now': async (bench) => {
    const message = aMessage();
    const { messageRef } = await bench.accept(message);
    const repeat = { kind: 'duplicate', messageRef, sessionId: 's_alice' };
    const limits = { perSession: 0, perClient: 0, total: 0 };
    expect(await bench.store.accept({ ...message, session: bob }, limits)).toMatchObject(repeat);
    expect(await bench.store.findSession('s_bob')).toBeUndefined();
    await bench.accept({ session: bob });
    expect(await bench.store.accept({ ...message, session: bob }, GENEROUS_LIMITS)).toMatchObject(repeat);
    expect(await bench.store.accept({ ...message, namesSession: true }, GENEROUS_LIMITS)).toMatchObject(repeat);
    const other = { ...message, session: bob, payload: aPayload({ content: 'another' }) };
    expect(await bench.store.accept(other, GENEROUS_LIMITS)).toEqual({ kind: 'conflict' });
  },

  '[M-06] takes a repeat for the same message whatever the order of its keys': async (bench) => {
    const message = aMessage({ payload: { ...aPayload(), metadata: { x: 1, y: [{ b: 1, a: 2 }] } } });
    await bench.accept(message);
    const { channel, sender, content } = message.payload;
    const payload = { metadata: { y: [{ a: 2, b: 1 }], x: 1 }, content, sender, channel };
    expect(await bench.store.accept({ ...message, payload }, GENEROUS_LIMITS)).toMatchObject({ kind: 'duplicate' });
    const other = { ...payload, metadata: { x: 1, y: [{ a: 1, b: 2 }] } };
    expect(await bench.store.accept({ ...message, payload: other }, GENEROUS_LIMITS)).toEqual({ kind: 'conflict' });
  },

  '[M-07] takes the same id from different clients as different messages': async (bench) => {
    const clients = [aClient(), aClient({ clientId: 'b' }), aClient({ principal: 'p' }), aClient({ tenant: 't' })];
    const accepted = await Promise.all(clients.map((client) => bench.accept({ client, messageId: 'same' })));
    expect(new Set(accepted.map(({ messageRef }) => messageRef)).size).toBe(4);
  },

  '[D-17] refuses a message over any of the limits, and stores nothing': async (bench) => {
    await bench.accept();
    await bench.accept();
    await bench.claimOne();
    const ask = (limits: object, changes = {}) =>
      bench.store.accept(aMessage(changes), { ...GENEROUS_LIMITS, ...limits });
    expect(await ask({ perSession: 2 })).toEqual({ kind: 'full', limit: 'perSession' });
    expect(await ask({ perClient: 2 }, { session: bob })).toEqual({ kind: 'full', limit: 'perClient' });
    const sameOwner = { session: bob, client: aClient({ clientId: 'b' }) };
    expect(await ask({ perClient: 2 }, sameOwner)).toEqual({ kind: 'full', limit: 'perClient' });
    const stranger = { session: aSession('eve'), client: aClient({ principal: 'p' }) };
    expect(await ask({ perClient: 2 }, stranger)).toMatchObject({ kind: 'accepted' });
    expect(await ask({ total: 3 }, { session: bob, client: aClient({ clientId: 'b' }) })).toEqual({
      kind: 'full',
      limit: 'total',
    });
    expect(await bench.store.findSession('s_bob')).toBeUndefined();
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 2, running: 1 });
    expect(await ask({ perSession: 3, perClient: 3, total: 4 })).toMatchObject({ kind: 'accepted' });
  },

  'accepts messages again once one has ended': async (bench) => {
    const limits = { perSession: 1, perClient: 1, total: 1 };
    const claim = await bench.run();
    expect(await bench.store.accept(aMessage(), limits)).toMatchObject({ kind: 'full' });
    await bench.finish(claim);
    expect(await bench.store.accept(aMessage(), limits)).toMatchObject({ kind: 'accepted' });
  },

  'recognises a repeat before it checks any limit': async (bench) => {
    const message = aMessage();
    await bench.accept(message);
    expect(await bench.store.accept(message, { perSession: 1, perClient: 1, total: 1 })).toMatchObject({
      kind: 'duplicate',
    });
    const outcome = await bench.store.accept(
      { ...message, payload: aPayload({ content: 'x' }) },
      { perSession: 1, perClient: 1, total: 1 },
    );
    expect(outcome).toEqual({ kind: 'conflict' });
  },

  'keeps an observed message as context only': async (bench) => {
    const observed = await bench.store.accept(aMessage({ isAddressed: false }), {
      perSession: 0,
      perClient: 0,
      total: 0,
    });
    expect(observed).toMatchObject({ kind: 'accepted', status: 'observed', position: 0 });
    expect(await bench.claim()).toEqual([]);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 0, running: 0 });
    expect((await bench.store.readHistory('s_alice', 10)).messages).toMatchObject([{ status: 'observed' }]);
  },

  '[G-06] queues a message that does not address the agent if the session has explicit activation': async (bench) => {
    const say = async () => {
      const outcome = await bench.store.accept(aMessage({ isAddressed: false }), GENEROUS_LIMITS);
      return outcome.kind === 'accepted' ? outcome.status : outcome;
    };
    expect(await say()).toBe('observed');
    await bench.store.updateSession('s_alice', { explicitActivation: true });
    expect(await say()).toBe('queued');
    const outcome = await bench.store.accept(aMessage({ isAddressed: false }), { ...GENEROUS_LIMITS, perSession: 1 });
    expect(outcome).toEqual({ kind: 'full', limit: 'perSession' });
    await bench.store.updateSession('s_alice', { explicitActivation: false });
    expect(await say()).toBe('observed');
  },

  '[G-16] observes a message that asks for it, in a session with explicit activation too': async (bench) => {
    await bench.drain();
    await bench.accept();
    await bench.store.updateSession('s_alice', { explicitActivation: true });
    const changes = { isAddressed: false, payload: aPayload({ observe: true }) };
    expect(await bench.accept(changes)).toMatchObject({ status: 'observed' });
  },

  'names the message that runs while another is accepted': async (bench) => {
    const claim = await bench.run();
    expect(await bench.accept()).toMatchObject({ runningRef: claim.message.messageRef, position: 0 });
    expect(await bench.accept({ session: bob })).not.toHaveProperty('runningRef');
  },

  '[D-18] counts waiting and running messages, and sessions in use': async (bench) => {
    const now = bench.under.now();
    await bench.run({ receivedAt: now });
    await bench.accept({ receivedAt: now });
    await bench.finish(await bench.run({ session: bob, receivedAt: now }));
    expect(await bench.store.countQueue(now)).toEqual({ queued: 1, running: 1, oldestAt: now, activeSessions: 2 });
    await bench.under.passTime(60_000);
    expect(await bench.store.countQueue(bench.under.now())).toMatchObject({
      queued: 1,
      oldestAt: now,
      activeSessions: 1,
    });
  },
};

/** Claiming and releasing messages. */
export const claimContract: Contract = {
  '[C-02] runs one message of a session at a time, and sessions in parallel': async (bench) => {
    for (const session of [aSession(), aSession(), bob]) await bench.accept({ session });
    const claims = await bench.claim();
    expect(claims.map(({ lease }) => lease.sessionId)).toEqual(['s_alice', 's_bob']);
    expect(await bench.claim()).toEqual([]);
    await Promise.all(claims.map((claim) => bench.finish(claim)));
    expect(await bench.claim()).toHaveLength(1);
  },

  '[Z-17] claims the next message of one session on request, and no other': async (bench) => {
    await bench.accept({ priority: 10 });
    await bench.accept({ session: bob });
    const request = { replicaId: 'r1', limit: 5, leaseMs: 1_000 };
    const claim = async (sessionId: string) =>
      (await bench.store.claim({ ...request, sessionId })).claims.map(({ lease }) => lease.sessionId);
    expect([await claim('s_bob'), await claim('s_bob'), await claim('s_none')]).toEqual([['s_bob'], [], []]);
    expect((await bench.claim()).map(({ lease }) => lease.sessionId)).toEqual(['s_alice']);
  },

  'claims what later calls of the same tick accept and free': async (bench) => {
    const running = await bench.run();
    await bench.accept({ messageId: 'next' });
    const claiming = bench.claim();
    await Promise.all([bench.finish(running), bench.accept({ messageId: 'new', session: bob })]);
    expect((await claiming).map(({ message }) => message.messageId)).toEqual(['next', 'new']);
  },

  'claims at most the requested number': async (bench) => {
    for (const name of ['a', 'b', 'c']) await bench.accept({ session: aSession(name) });
    expect(await bench.claim(2)).toHaveLength(2);
    expect(await bench.claim(2)).toHaveLength(1);
  },

  '[C-01] runs the highest priority of a session first, and within a priority the oldest': async (bench) => {
    const priorities = [1, 10, 5, 1, 10] as const;
    for (const [index, priority] of priorities.entries()) await bench.accept({ messageId: `m${index}`, priority });
    expect(await bench.drain()).toEqual(['m1', 'm4', 'm2', 'm0', 'm3']);
  },

  '[D-14] takes sessions in the order of priority, then age': async (bench) => {
    const priorities = [1, 5, 10, 5] as const;
    for (const [index, priority] of priorities.entries())
      await bench.accept({ session: aSession(`${index}`), priority });
    expect((await bench.claim()).map(({ lease }) => lease.sessionId)).toEqual(['s_2', 's_1', 's_3', 's_0']);
  },

  '[C-10] gives every fifth turn to a lower priority': async (bench) => {
    for (const name of ['low1', 'low2']) await bench.accept({ session: aSession(name), messageId: name });
    for (let index = 0; index < 10; index++) {
      await bench.accept({ session: aSession(`h${index}`), messageId: `h${index}`, priority: 10 });
    }
    const high = (from: number) => [0, 1, 2, 3].map((index) => `h${from + index}`);
    expect(await bench.drain()).toEqual([...high(0), 'low1', ...high(4), 'low2', 'h8', 'h9']);
  },

  '[D-10] raises the epoch of a session with each claim': async (bench) => {
    const epochs: number[] = [];
    for (let run = 0; run < 3; run++) {
      const claim = await bench.run();
      epochs.push(claim.lease.epoch);
      await bench.finish(claim);
    }
    expect(epochs).toEqual([...new Set(epochs)].sort((one, other) => one - other));
  },

  'distinguishes a first run from later ones': async (bench) => {
    const claim = await bench.run();
    expect(claim).toMatchObject({ attempt: 1, interruptions: 0, cancelRequested: false });
    expect(claim.lease).toMatchObject({ sessionId: 's_alice', replicaId: bench.under.replicaId });
    await bench.store.release(claim.lease);
    expect(await bench.claimOne()).toMatchObject({ attempt: 2, interruptions: 0 });
  },

  'runs a released message before all others of its session': async (bench) => {
    const claim = await bench.run({ messageId: 'back' });
    await bench.accept({ messageId: 'mention', priority: 10 });
    await bench.store.release(claim.lease);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 2, running: 0 });
    expect(await bench.drain()).toEqual(['back', 'mention']);
  },

  '[C-09] holds a session back while its message waits for a retry': async (bench) => {
    const claim = await bench.run({ messageId: 'later' });
    await bench.accept({ messageId: 'mention', priority: 10 });
    const dueAt = bench.under.now() + 5_000;
    await bench.store.release(claim.lease, dueAt);
    const request = { replicaId: bench.under.replicaId, limit: 9, leaseMs: 10_000 };
    expect(await bench.store.claim(request)).toEqual({ claims: [], nextDueAt: dueAt });
    await bench.under.passTime(5_000);
    expect(await bench.drain()).toEqual(['later', 'mention']);
  },

  '[D-10] reports which leases are lost and which are renewed': async (bench) => {
    const lost = await bench.run();
    const held = await bench.run({ session: bob });
    await bench.store.release(lost.lease);
    const answer = await bench.store.renew([lost.lease, held.lease], 10_000);
    expect(answer).toEqual({ lost: [lost.lease], cancelRequested: [] });
  },

  'changes nothing when a lost lease is released': async (bench) => {
    const old = await bench.run();
    await bench.store.release(old.lease);
    const current = await bench.claimOne();
    await bench.store.release(old.lease);
    await bench.store.release(old.lease, bench.under.now() + 1_000);
    expect(await bench.claim()).toEqual([]);
    expect(await bench.store.renew([current.lease], 10_000)).toEqual({ lost: [], cancelRequested: [] });
  },
};
