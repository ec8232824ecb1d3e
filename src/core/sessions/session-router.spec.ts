import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageInPayload, Role } from '../../protocol/domain.js';
import { LOCAL_OPERATOR, ROLE_SCOPES, type Principal } from '../identity/principal.js';
import { CoreHarness } from '../../testing/core-harness.js';
import { aPayload } from '../../testing/factories.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { SessionRouterService } from './session-router.service.js';
import { buildSessionSeed } from './session-key.js';

let harness: CoreHarness;
let router: SessionRouterService;
beforeEach(async () => {
  harness = await new CoreHarness().start();
  router = new SessionRouterService(harness.store, harness.agents);
});
afterEach(() => harness.stop());

function aPrincipal(role: Role, changes: Partial<Principal> = {}): Principal {
  return {
    tenant: 'default',
    principal: role,
    role,
    scopes: new Set(ROLE_SCOPES[role]),
    channels: undefined,
    sender: undefined,
    ...changes,
  };
}
const driver = aPrincipal('channel', { channels: ['test'] });
const user = aPrincipal('user', { channels: ['test'], sender: 'alice' });
const route = async (principal: Principal, payload: Partial<MessageInPayload>, sessionId?: string) =>
  router.route(principal, aPayload(payload), sessionId);
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

/** Accepts a message, so that its session exists and its sender is a participant. */
async function join(sender: string, payload: Partial<MessageInPayload>): Promise<string> {
  const whole = aPayload({ sender, content: '/blocks 1', ...payload });
  const reader = new FakeReader();
  const { sessionId } = await harness.say(reader, crypto.randomUUID(), '', {
    payload: whole,
    session: buildSessionSeed('default', whole),
  });
  return sessionId;
}

describe('what addresses the agent', () => {
  it('[G-16] a message with `observe` addresses no agent, whatever it says; a user cannot observe', async () => {
    for (const principal of [driver, LOCAL_OPERATOR])
      for (const content of ['hello', '/help', '@openclaw hello'])
        expect(await route(principal, { content, observe: true, is_direct_mention: true })).toMatchObject({
          isAddressed: false,
          priority: 1,
        });
    const { isAddressed, payload } = await route(user, { observe: true });
    expect([isAddressed, payload.observe]).toEqual([true, undefined]);
  });

  it('[G-17] a channel says whether there is a mention; then the text is not searched', async () => {
    const mention = { group_id: 'g', content: '@openclaw hello' };
    expect(await route(driver, { ...mention, is_direct_mention: false })).toMatchObject({ isAddressed: false });
    expect(await route(driver, mention)).toMatchObject({ isAddressed: true, priority: 10 });
    expect(await route(LOCAL_OPERATOR, { ...mention, is_direct_mention: false })).toMatchObject({ priority: 10 });
    const other = { group_id: 'g', content: 'hello', is_direct_mention: true };
    expect(await route(driver, other)).toMatchObject({ isAddressed: true, priority: 10 });
  });
});

describe('who may speak', () => {
  it('[G-09] a channel credential sends on its channels, for any sender', async () => {
    expect(await code(route(driver, { sender: 'anybody' }))).toBe('accepted');
    expect(await code(route(driver, { channel: 'other' }))).toBe('FORBIDDEN');
  });

  it('[G-09] a user credential sends on its channels, only as its own sender', async () => {
    expect(await code(route(user, {}))).toBe('accepted');
    expect(await code(route(user, { sender: 'bob' }))).toBe('FORBIDDEN');
    expect(await code(route(user, { channel: 'other' }))).toBe('FORBIDDEN');
  });

  it('[G-10] a user gets no access to a group, queue or session by naming it', async () => {
    const group = await join('bob', { group_id: 'g' });
    const queue = await join('bob', { queue: 'q' });
    const own = await join('bob', {});
    expect(await code(route(user, { group_id: 'g' }))).toBe('NOT_FOUND');
    expect(await code(route(user, { queue: 'q' }))).toBe('NOT_FOUND');
    for (const sessionId of [group, queue, own, 's_unknown'])
      expect(await code(route(user, {}, sessionId))).toBe('NOT_FOUND');
    await join('alice', { group_id: 'g' });
    expect(await code(route(user, { group_id: 'g', content: '@openclaw hi' }))).toBe('accepted');
    expect(await code(route(user, {}, group))).toBe('accepted');
  });

  it('[G-10] a session of another tenant does not exist', async () => {
    const sessionId = await join('alice', {});
    expect(await code(route({ ...LOCAL_OPERATOR, tenant: 'acme' }, {}, sessionId))).toBe('NOT_FOUND');
    expect(await code(route(LOCAL_OPERATOR, {}, sessionId))).toBe('accepted');
  });

  it('[G-11] a message to a session must be of its channel', async () => {
    const sessionId = await join('alice', {});
    expect(await code(route(LOCAL_OPERATOR, { channel: 'other' }, sessionId))).toBe('INVALID_PAYLOAD');
  });

  it('[M-03] an empty text needs attachments', async () => {
    expect(await code(route(driver, { content: '' }))).toBe('INVALID_PAYLOAD');
    expect(
      await code(route(driver, { content: '', attachments: [{ kind: 'image', url: 'https://example.org/a.png' }] })),
    ).toBe('accepted');
  });
});

describe('what is trusted', () => {
  const claims = { is_direct_mention: true, is_reply_to_agent: true, sender_is_admin: true } as const;

  it('[G-08] flags count from channels and operators and not from users', async () => {
    expect((await route(driver, { is_direct_mention: true })).priority).toBe(10);
    expect((await route(driver, { is_reply_to_agent: true })).priority).toBe(5);
    expect((await route(LOCAL_OPERATOR, { is_direct_mention: true })).priority).toBe(10);
    const fromUser = await route(user, claims);
    expect(fromUser.priority).toBe(1);
    expect(fromUser.payload).toEqual(aPayload());
  });

  it('[G-08] a mention in the text counts for any sender', async () => {
    expect((await route(user, { content: 'hi @OpenClaw' })).priority).toBe(10);
  });

  it('[G-08] an operator is an admin of every group, a channel says who is', async () => {
    expect((await route(LOCAL_OPERATOR, {})).payload.sender_is_admin).toBe(true);
    expect((await route(driver, {})).payload.sender_is_admin).toBeUndefined();
    expect((await route(driver, { sender_is_admin: true })).payload.sender_is_admin).toBe(true);
  });
});

describe('a group', () => {
  const inGroup = (payload: Partial<MessageInPayload>) =>
    router.route(driver, aPayload({ group_id: 'g', ...payload }), undefined);

  it('[G-04] is only observed until a message addresses the agent', async () => {
    expect(inGroup({ content: 'hello all' })).toMatchObject({ isAddressed: false });
    expect(inGroup({ content: '@openclaw hello' })).toMatchObject({ isAddressed: true });
    expect(inGroup({ is_direct_mention: true })).toMatchObject({ isAddressed: true });
    expect(inGroup({ is_reply_to_agent: true })).toMatchObject({ isAddressed: true });
    expect(inGroup({ content: '/status' })).toMatchObject({ isAddressed: true });
  });

  it('[G-06] answers everything once it is activated, by admins only', async () => {
    const reader = new FakeReader();
    const say = async (id: string, content: string, isAdmin: boolean) => {
      const payload = aPayload({ group_id: 'g', content, sender_is_admin: isAdmin });
      await harness.say(reader, id, '', { payload });
      await reader.waitForEnd(id);
      return reader.blocksOf(id)[0];
    };
    const hear = async (id: string) => {
      const payload = aPayload({ group_id: 'g', content: 'hello' });
      return (await harness.say(reader, id, '', { payload, isAddressed: false })).status;
    };
    expect((await say('a', '/activation always', false))?.content).toMatch(/Only an operator or an admin/);
    expect(await hear('b')).toBe('observed');
    expect(await say('c', '/activation always', true)).toEqual({
      type: 'status',
      content: expect.stringContaining('always') as string,
    });
    expect(await hear('d')).toBe('queued');
    await say('e', '/activation mention', true);
    expect(await hear('f')).toBe('observed');
    expect(await harness.store.listAudit({ order: 'oldest', limit: 9 })).toMatchObject([
      { action: 'session.update', actor: 'tester', after: '{"explicitActivation":true}' },
      { action: 'session.update', actor: 'tester', after: '{"explicitActivation":false}' },
    ]);
  });
});

describe('/reset', () => {
  it('[G-12] starts a new context in the same session and keeps the history', async () => {
    const reader = new FakeReader();
    await harness.say(reader, 'a', 'before');
    const { sessionId } = await harness.say(reader, 'b', '/reset');
    const { messageRef } = await harness.say(reader, 'c', 'after');
    await reader.waitForEnd('c');
    expect(reader.blocksOf('b')[0]?.type).toBe('status');
    expect(await harness.store.readContext(sessionId, messageRef, 10)).toEqual([]);
    expect((await harness.store.readHistory(sessionId, 10)).messages).toHaveLength(3);
  });
});
