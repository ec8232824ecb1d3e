import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { aPayload } from '../../testing/factories.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { LOCAL_OPERATOR, type Principal } from '../identity/principal.js';
import { RateLimitsService } from '../limits/rate-limits.service.js';
import type { CanvasService } from '../canvas/canvas.service.js';
import type { MediaService } from '../media/media.service.js';
import { PhaseService } from '../phase/phase.service.js';
import { PresenceTrackerService } from '../presence/presence-tracker.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoTracing } from '../telemetry/tracing.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { MessageIntakeService, type Origin, type QueuedMessage } from './message-intake.service.js';

const operator: Origin = { principal: LOCAL_OPERATOR, clientId: 'timer' };
const bound: Principal = { ...LOCAL_OPERATOR, principal: 'driver', role: 'channel', channels: ['telegram'] };
const alice: Origin = {
  principal: { ...bound, role: 'user', channels: ['test'], sender: 'alice' },
  clientId: 'page',
};

/** Leads the keys of messages to other sessions, as a changed binding does. */
class ReboundRouter extends SessionRouterService {
  isRebound = false;

  override route(...[principal, ...rest]: Parameters<SessionRouterService['route']>) {
    const isMoved = this.isRebound && rest[1] === undefined;
    return super.route(isMoved ? { ...principal, tenant: 'elsewhere' } : principal, ...rest);
  }
}

describe('MessageIntakeService', () => {
  let harness: CoreHarness;
  let phase: PhaseService;
  let presence: PresenceTrackerService;
  let assigned: string[];
  let router: ReboundRouter;
  let intake: MessageIntakeService;

  beforeEach(async () => {
    harness = await new CoreHarness({ settings: { 'limits.messages_per_minute': 3 } }).start();
    const { clock, config, queue, store } = harness;
    router = new ReboundRouter(store, harness.agents);
    phase = new PhaseService(clock);
    presence = new PresenceTrackerService(clock, new InProcessBroker(clock, new SilentLogs()), new SilentLogs());
    assigned = [];
    const media = { assign: async (_: Principal, __: unknown, sessionId: string) => void assigned.push(sessionId) };
    intake = new MessageIntakeService(
      phase,
      new RateLimitsService(clock, config),
      router,
      media as unknown as MediaService,
      presence,
      queue,
      store,
      { findFault: async () => undefined } as unknown as CanvasService,
      clock,
      new NoTracing(),
    );
  });
  afterEach(() => harness.stop());

  it('accepts a message from an origin without a connection, and recognises a repeat', async () => {
    const message = { id: 'a', payload: aPayload({ content: 'hello' }) };
    const first = await (await intake.submit(operator, message)).accepted;
    expect(first).toMatchObject({ kind: 'accepted', status: 'queued' });
    const repeat = await (await intake.submit(operator, message)).accepted;
    expect(repeat).toMatchObject({ kind: 'duplicate', messageRef: first.messageRef });
    expect(presence.find('default', 'test', 'alice')?.status).toBe('online');
  });

  it('is synchronous up to the enqueue if the store is not needed', async () => {
    const queued = intake.submit(operator, { id: 'a', payload: aPayload() });
    expect(queued).not.toBeInstanceOf(Promise);
    const { sessionId } = await (queued as QueuedMessage).accepted;
    const named = intake.submit(operator, { id: 'b', sessionId, payload: aPayload() });
    expect(named).toBeInstanceOf(Promise);
    await (
      await named
    ).accepted;
  });

  it('assigns uploaded files to the session of their message before it is queued', async () => {
    const attachments = [{ kind: 'image' as const, media_id: 'f_1' }];
    const { accepted } = await intake.submit(operator, { id: 'a', payload: aPayload({ attachments }) });
    expect(assigned).toEqual([(await accepted).sessionId]);
  });

  it('cancels by id only what the credential may read now', async () => {
    const origin: Origin = { principal: { ...bound, channels: ['test'] }, clientId: 'd' };
    await (
      await intake.submit(origin, { id: 'a', payload: aPayload({ content: '/wait 1000' }) })
    ).accepted;
    const rebound: Origin = { principal: bound, clientId: 'd' };
    await expect(intake.cancel(rebound, { by: 'id', messageId: 'a' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await intake.cancel(origin, { by: 'id', messageId: 'a' });
  });

  it('refuses before anything is stored: while draining, over the rate, for another channel', async () => {
    const driver: Origin = { principal: bound, clientId: 'd' };
    expect(() => intake.submit(driver, { id: 'a', payload: aPayload() })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    for (const id of ['a', 'b', 'c']) await (await intake.submit(operator, { id, payload: aPayload() })).accepted;
    expect(() => intake.submit(operator, { id: 'd', payload: aPayload() })).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED' }),
    );
    phase.moveTo('draining');
    expect(() => intake.submit(operator, { id: 'e', payload: aPayload() })).toThrow(
      expect.objectContaining({ code: 'DRAINING' }),
    );
  });

  it('rejects an id that was used before with another body', async () => {
    await (
      await intake.submit(operator, { id: 'a', payload: aPayload({ content: 'one' }) })
    ).accepted;
    const { accepted } = await intake.submit(operator, { id: 'a', payload: aPayload({ content: 'two' }) });
    await expect(accepted).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('[M-06] takes a repeat that names the session, or claims other flags, for the same message', async () => {
    const submit = async (changes: object, sessionId?: string) => {
      const payload = aPayload({ content: 'one', ...changes });
      return (await intake.submit(alice, { id: 'a', sessionId, payload })).accepted;
    };
    const { sessionId } = await submit({});
    expect(await submit({}, sessionId)).toMatchObject({ kind: 'duplicate' });
    expect(await submit({ is_direct_mention: true, sender_is_admin: true })).toMatchObject({ kind: 'duplicate' });
  });

  it.each([
    ['an operator', operator, { queue: 'q' }],
    ['a user who takes no part in that one', alice, { group_id: 'g' }],
  ])(
    '[M-06] takes a repeat of %s for the same message when its key leads elsewhere by now',
    async (_, origin, place) => {
      const submit = async (from: Origin, id: string, content = 'hello') =>
        (await intake.submit(from, { id, payload: aPayload({ ...place, content }) })).accepted;
      await submit(operator, 'joins');
      const { sessionId, messageRef } = await submit(origin, 'a');
      router.isRebound = true;
      expect(await submit(origin, 'a')).toMatchObject({ kind: 'duplicate', sessionId, messageRef });
    },
  );

  it('cancels by id, and reports an unknown id', async () => {
    await (
      await intake.submit(operator, { id: 'a', payload: aPayload({ content: '/blocks 2 60000' }) })
    ).accepted;
    await intake.cancel(operator, { by: 'id', messageId: 'a' });
    await expect(intake.cancel(operator, { by: 'id', messageId: 'b' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(intake.cancel(operator, { by: 'ref', messageRef: 'm_0' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('[N-10] refuses reactions that are not an emoji, come too fast, or are too many for a message', async () => {
    const { accepted } = await intake.submit(operator, { id: 'a', payload: aPayload() });
    await accepted;
    const react = (emoji: string, sender = 'alice') =>
      intake.react(operator, { channel: 'test', sender, messageId: 'a', emoji, action: 'added' });
    await expect(react('')).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
    await expect(react('not one')).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
    for (let i = 0; i < 20; i++) await react(`:emoji_${i}:`);
    await expect(react(':another:')).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
    await react(':emoji_1:');
    for (let i = 22; i < 120; i++) await react(':emoji_1:');
    await expect(react(':emoji_1:')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await react('👍', 'bob');
  });

  it('stores a reaction with its message, named by id or by ref', async () => {
    const { accepted } = await intake.submit(operator, { id: 'a', payload: aPayload() });
    const { sessionId, messageRef } = await accepted;
    const reaction = { channel: 'test', sender: 'alice', emoji: '🦞', action: 'added' } as const;
    await intake.react(operator, { ...reaction, messageId: 'a' });
    await intake.react(operator, { ...reaction, sender: 'bob', messageId: messageRef });
    const { messages } = await harness.store.readHistory(sessionId, 10);
    expect(messages[0]?.reactions.map(({ sender }) => sender).sort()).toEqual(['alice', 'bob']);
    await expect(intake.react(operator, { ...reaction, messageId: 'unknown' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('[M-20] routes a message to the session of the one that it supersedes, if the origin may see it', async () => {
    const submit = async (origin: Origin, id: string, payload: object) =>
      (await intake.submit(origin, { id, payload: aPayload(payload) })).accepted;
    await submit(operator, 'a', { queue: 'q', content: '/wait 60000' });
    const first = await submit(operator, 'b', { queue: 'q' });
    const again = await submit(operator, 'c', { supersedes: first.messageRef });
    expect(again).toMatchObject({ sessionId: first.sessionId, status: 'queued' });
    const stranger: Origin = { principal: { ...bound, channels: ['telegram'] }, clientId: 'd' };
    const foreign = submit(stranger, 'd', { channel: 'telegram', supersedes: first.messageRef });
    await expect(foreign).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  });
});
