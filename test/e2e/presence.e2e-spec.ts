import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../../src/core/turns/agent-runtime.js';
import type { PresenceState } from '../../src/core/presence/presence-tracker.service.js';
import { Global, Module } from '@nestjs/common';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

/** An agent that answers with its prompt and records the presence changes it receives. */
class KnowingRuntime extends AgentRuntime {
  override readonly name = 'knowing';
  readonly noticed: string[] = [];

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const context = await turn.readContext(10);
    const known = context.map((message) => ({ content: message.payload.content, reactions: message.reactions }));
    yield { type: 'piece', piece: { blockType: 'text', text: JSON.stringify(known), ends: true } };
  }

  override noticePresence(state: PresenceState): void {
    this.noticed.push(`${state.userId} ${state.status}`);
  }
}

const runtime = new KnowingRuntime();

@Global()
@Module({ providers: [{ provide: AgentRuntime, useValue: runtime }], exports: [AgentRuntime] })
class KnowingAgentModule {}

let gateway: GatewayApp;
beforeEach(async () => {
  runtime.noticed.length = 0;
  gateway = await GatewayApp.start({ settings: withTokens, agent: KnowingAgentModule });
});
afterEach(() => gateway.close());

describe('presence', () => {
  it('[G-14] is sent to subscribed operators of the tenant and to the agent', async () => {
    const watching = await gateway.connect('w', TOKENS.operator, '&subscribe=presence');
    const [plain, foreign] = [
      await gateway.connect('p', TOKENS.operator),
      await gateway.connect('f', TOKENS.stranger, '&subscribe=presence'),
    ];
    const driver = await gateway.connect('d', TOKENS.driver);
    driver.send('presence', { channel: 'test', user_id: 'ann', status: 'typing' });
    expect((await watching.next('presence')).payload).toMatchObject({
      channel: 'test',
      user_id: 'ann',
      status: 'typing',
    });
    await Promise.all([plain, foreign].map((client) => client.answerTo(client.send('ping'))));
    expect([...plain.unread, ...foreign.unread]).toEqual([]);
    expect(runtime.noticed).toEqual(['ann typing']);
  });

  it('[G-14] is not sent to an operator that is bound to other channels', async () => {
    const bound = { token: 'bound-token-0123456789abc', principal: 'bound', role: 'operator', channels: ['telegram'] };
    await gateway.close();
    const tokens = [...(withTokens['auth.tokens'] as object[]), bound];
    gateway = await GatewayApp.start({ settings: { 'auth.tokens': tokens }, agent: KnowingAgentModule });
    const watching = await gateway.connect('w', TOKENS.operator, '&subscribe=presence');
    const elsewhere = await gateway.connect('b', bound.token, '&subscribe=presence');
    const driver = await gateway.connect('d', TOKENS.driver);
    driver.send('presence', { channel: 'test', user_id: 'ann', status: 'typing' });
    await watching.next('presence');
    await elsewhere.answerTo(elsewhere.send('ping'));
    expect(elsewhere.unread).toEqual([]);
  });

  it('[G-14] makes the sender of a message online', async () => {
    const watching = await gateway.connect('w', TOKENS.operator, '&subscribe=presence');
    const driver = await gateway.connect('d', TOKENS.driver);
    driver.send('message_in', { channel: 'test', sender: 'bob', content: 'hello' });
    expect((await watching.next('presence')).payload).toMatchObject({ user_id: 'bob', status: 'online' });
  });
});

describe('a reaction', () => {
  it('[G-15] is kept in the context of the session until it is removed', async () => {
    const driver = await gateway.connect('d', TOKENS.driver);
    const say = async (id: string, content: string) => {
      driver.send('message_in', { channel: 'test', sender: 'ann', content }, { id });
      const block = await driver.next((frame) => frame.type === 'stream_block' && frame.payload['message_id'] === id);
      return JSON.parse(block.payload['content'] as string) as unknown;
    };
    const react = (messageId: string, emoji: string, action: string) =>
      driver.send('reaction', { channel: 'test', sender: 'ann', message_id: messageId, emoji, action });
    await say('a', 'first');
    const ref = (await driver.next('stream_end')).payload['message_ref'] as string;
    react('a', '👍', 'added');
    react(ref, '🎉', 'added');
    react('a', '👍', 'added');
    expect(await say('b', 'second')).toEqual([
      {
        content: 'first',
        reactions: expect.arrayContaining([
          { sender: 'ann', emoji: '👍' },
          { sender: 'ann', emoji: '🎉' },
        ]) as unknown,
      },
    ]);
    react('a', '👍', 'removed');
    expect(await say('c', 'third')).toContainEqual({ content: 'first', reactions: [{ sender: 'ann', emoji: '🎉' }] });
    react('a', '', 'removed');
    expect(await say('d', 'fourth')).toContainEqual({ content: 'first', reactions: [] });
    expect((await driver.answerTo(react('a', '', 'added'))).payload).toMatchObject({ code: 'INVALID_PAYLOAD' });
  });

  it('[G-15] to a message that the caller may not see is refused', async () => {
    const driver = await gateway.connect('d', TOKENS.driver);
    driver.send('message_in', { channel: 'test', sender: 'ann', content: 'hello' }, { id: 'a' });
    const ref = (await driver.next('message_ack')).payload['message_ref'] as string;
    const bob = await gateway.connect('b', TOKENS.bob);
    for (const messageId of ['unknown', ref]) {
      const id = bob.send('reaction', {
        channel: 'test',
        sender: 'bob',
        message_id: messageId,
        emoji: '👍',
        action: 'added',
      });
      expect((await bob.answerTo(id)).payload).toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});
