import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
beforeEach(async () => void (gateway = await GatewayApp.start({ settings: withTokens })));
afterEach(() => gateway.close());

let messages = 0;
const say = (client: FrameClient, content: string, payload: object = {}, changes: object = {}) =>
  client.send(
    'message_in',
    { channel: 'test', sender: 'alice', content, ...payload },
    { id: `message-${++messages}`, ...changes },
  );
const endOf = (client: FrameClient, id: string) =>
  client.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
const errorFor = async (client: FrameClient, id: string) => {
  const frame = await client.answerTo(id);
  expect(frame.type).toBe('error');
  return frame.payload;
};
const types = (frames: readonly SeenFrame[]) => frames.map((frame) => frame.type);

describe('a message', () => {
  it('[M-01] is acknowledged under its id with its session, then answered', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const id = say(client, '/blocks 2');
    const ack = await client.answerTo(id);
    expect(ack).toMatchObject({
      type: 'message_ack',
      payload: { id, status: 'queued', mode: 'main', priority: 1, position: 0 },
    });
    const end = await endOf(client, id);
    expect(end).toMatchObject({
      session_id: ack.session_id,
      correlation_id: id,
      seq: 3,
      payload: { reason: 'stop', blocks: 2, message_ref: ack.payload['message_ref'] },
    });
    expect(types(client.unread)).toEqual(['stream_block', 'stream_block']);
    expect(client.unread.every((frame) => frame.payload['message_ref'] === ack.payload['message_ref'])).toBe(true);
  });

  it('[M-04] sent again is a duplicate with the same message_ref, and another body under its id a conflict', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const id = say(client, '/blocks 1', {}, { id: 'same' });
    const first = await client.answerTo(id);
    await endOf(client, id);
    say(client, '/blocks 1', {}, { id: 'same', timestamp: 1 });
    const again = await client.next('message_ack');
    expect(again.payload).toMatchObject({ status: 'duplicate', message_ref: first.payload['message_ref'] });
    say(client, '/blocks 2', {}, { id: 'same' });
    expect((await client.next('error')).payload).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', retryable: false });
  });

  it('[M-07] of two clients or principals under one id are two messages', async () => {
    const clients = await Promise.all([
      gateway.connect('a', TOKENS.driver),
      gateway.connect('b', TOKENS.driver),
      gateway.connect('a', TOKENS.alice),
    ]);
    for (const client of clients) say(client, '/blocks 1', {}, { id: 'one' });
    const acks = await Promise.all(clients.map((client) => client.next('message_ack')));
    expect(acks.map((ack) => ack.payload['status'])).toEqual(['queued', 'queued', 'queued']);
  });

  it('[G-04] that does not address the agent in a group is observed, and reaches the agent as context', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const id = say(client, 'just chatting', { group_id: 'g' });
    expect((await client.answerTo(id)).payload).toMatchObject({ status: 'observed', mode: 'group' });
    const asked = say(client, '@openclaw /hi', { group_id: 'g' });
    expect((await client.answerTo(asked)).payload).toMatchObject({ status: 'queued', priority: 10 });
    const end = await endOf(client, asked);
    const history = client.send('history', { limit: 10 }, { session_id: end.session_id });
    const { payload } = await client.answerTo(history);
    expect((payload['messages'] as { status: string }[]).map((message) => message.status)).toEqual([
      'observed',
      'done',
    ]);
  });

  it('[G-11] with a session_id goes to that session, whose channel it must name', async () => {
    const client = await gateway.connect('c', TOKENS.operator);
    const first = await client.answerTo(say(client, '/blocks 1'));
    const there = await client.answerTo(
      say(client, '/blocks 1', { sender: 'guest' }, { session_id: first.session_id }),
    );
    expect(there.session_id).toBe(first.session_id);
    const elsewhere = say(client, 'x', { channel: 'other' }, { session_id: first.session_id });
    expect(await errorFor(client, elsewhere)).toMatchObject({
      code: 'INVALID_PAYLOAD',
      details: { faults: [{ pointer: '/channel' }] },
    });
    expect(await errorFor(client, say(client, 'x', {}, { session_id: 's_unknown' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('[M-08] that is refused affects neither its connection nor other clients', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const refused = [
      say(client, 'x', { colour: 'red' }),
      say(client, ''),
      say(client, 'x'.repeat(65_537)),
      say(client, 'x', { channel: 'other' }),
      say(client, 'x', { sender: 'a\u0000b' }),
      say(client, 'x', { metadata: { note: '\ud800' } }),
      client.send('history', { limit: 0 }, { session_id: 's' }),
      client.send('stream_end', {}),
      client.send('acme.unknown', {}),
      client.send('node_event', {}),
    ];
    const codes = [];
    for (const id of refused) codes.push((await errorFor(client, id))['code']);
    expect(codes).toEqual([
      ...[
        'INVALID_PAYLOAD',
        'INVALID_PAYLOAD',
        'INVALID_PAYLOAD',
        'FORBIDDEN',
        'INVALID_PAYLOAD',
        'INVALID_PAYLOAD',
        'INVALID_PAYLOAD',
      ],
      ...['UNKNOWN_TYPE', 'UNKNOWN_TYPE', 'FORBIDDEN'],
    ]);
    await endOf(client, say(client, 'x'.repeat(65_536)));
  });

  it('[M-09] is refused without the scope for it, and the missing scope is named', async () => {
    const client = await gateway.connect('c', TOKENS.reader);
    expect(await errorFor(client, say(client, 'x'))).toMatchObject({
      code: 'FORBIDDEN',
      details: { missing_scope: 'messages:write' },
    });
  });

  it('[M-11] over the rate limit of its client is refused with a retry delay', async () => {
    await gateway.close();
    gateway = await GatewayApp.start({ settings: { ...withTokens, 'limits.messages_per_minute': 2 } });
    const client = await gateway.connect('c', TOKENS.alice);
    for (let i = 0; i < 2; i++) await endOf(client, say(client, '/blocks 1'));
    const refused = await errorFor(client, say(client, '/blocks 1'));
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(refused['retry_after_ms']).toBeGreaterThan(0);
    const driver = await gateway.connect('d', TOKENS.driver);
    for (const sender of ['p', 'q', 'r']) await endOf(driver, say(driver, '/blocks 1', { sender }));
  });

  it('[C-05] over a queue limit is refused with a retry delay, and accepted later under its id', async () => {
    await gateway.close();
    gateway = await GatewayApp.start({ settings: { 'queue.max_per_client': 1 } });
    const client = await gateway.connect('c');
    const running = say(client, '/wait 60000');
    await client.answerTo(running);
    const refused = say(client, '/blocks 1', { sender: 'other' });
    expect(await errorFor(client, refused)).toMatchObject({
      code: 'QUEUE_FULL',
      retryable: true,
      details: { limit: 'queue.max_per_client' },
    });
    client.send('cancel', { message_id: running });
    await endOf(client, running);
    say(client, '/blocks 1', { sender: 'other' }, { id: refused });
    expect((await client.next('message_ack')).payload).toMatchObject({ status: 'queued' });
  });
});

describe('cancel', () => {
  it('[C-03] ends a message by its id, by its message_ref, or all of a session', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const [a, b, c, d] = [
      say(client, '/wait 60000'),
      say(client, '/wait 60000'),
      say(client, '/wait 60000'),
      say(client, '/wait 60000'),
    ];
    const acks = await Promise.all([a, b, c, d].map((id) => client.answerTo(id)));
    client.send('cancel', { message_id: b });
    expect((await endOf(client, b)).payload).toMatchObject({ reason: 'cancelled', blocks: 0 });
    client.send('cancel', { message_ref: acks[0]?.payload['message_ref'] });
    await endOf(client, a);
    client.send('cancel', {}, { session_id: acks[0]?.session_id });
    await Promise.all([endOf(client, c), endOf(client, d)]);
  });

  it('[C-08] names one target that its caller may see', async () => {
    const alice = await gateway.connect('c', TOKENS.alice);
    const ack = await alice.answerTo(say(alice, '/wait 60000'));
    const target = { message_ref: ack.payload['message_ref'] };
    expect(await errorFor(alice, alice.send('cancel', {}))).toMatchObject({ code: 'INVALID_PAYLOAD' });
    expect(await errorFor(alice, alice.send('cancel', { ...target, message_id: 'x' }))).toMatchObject({
      code: 'INVALID_PAYLOAD',
    });
    expect(await errorFor(alice, alice.send('cancel', { message_id: 'unknown' }))).toMatchObject({ code: 'NOT_FOUND' });
    for (const token of [TOKENS.bob, TOKENS.stranger]) {
      const other = await gateway.connect('c', token);
      expect(await errorFor(other, other.send('cancel', target))).toMatchObject({ code: 'NOT_FOUND' });
    }
    const operator = await gateway.connect('c', TOKENS.operator);
    operator.send('cancel', target);
    await alice.next('stream_end');
  });
});

describe('reading again', () => {
  async function talk(client: FrameClient, ...contents: string[]): Promise<string> {
    let sessionId = '';
    for (const content of contents) sessionId = (await endOf(client, say(client, content))).session_id ?? '';
    return sessionId;
  }

  it('[S-04] resume sends exactly the later frames, to every client that may read the session', async () => {
    const client = await gateway.connect('c', TOKENS.alice);
    const sessionId = await talk(client, '/blocks 3');
    await client.close();
    const again = await gateway.connect('c', TOKENS.alice);
    const id = again.send('resume', { sessions: [{ session_id: sessionId, after_seq: 2 }] });
    expect((await again.answerTo(id)).payload).toEqual({
      session_id: sessionId,
      from_seq: 3,
      head_seq: 4,
      complete: true,
    });
    expect([(await again.next((frame) => frame.seq !== undefined)).seq, (await again.next('stream_end')).seq]).toEqual([
      3, 4,
    ]);
    for (const token of [TOKENS.bob, TOKENS.stranger]) {
      const other = await gateway.connect('c', token);
      const refused = other.send('resume', { sessions: [{ session_id: sessionId, after_seq: 0 }] });
      expect(await errorFor(other, refused)).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  it('[S-05] resume beyond the head is stale, and does not stop the resume of other sessions', async () => {
    const client = await gateway.connect('c', TOKENS.alice);
    const sessionId = await talk(client, '/blocks 1');
    const id = client.send('resume', {
      sessions: [
        { session_id: 's_unknown', after_seq: 0 },
        { session_id: sessionId, after_seq: 99 },
        { session_id: sessionId, after_seq: 1 },
      ],
    });
    const answers = [await client.answerTo(id), await client.answerTo(id), await client.answerTo(id)];
    expect(answers.map((frame) => frame.payload['code'] ?? frame.type)).toEqual([
      'NOT_FOUND',
      'STALE_RESUME',
      'resumed',
    ]);
  });

  it('[S-10] a resume without sessions resumes every session that has undelivered frames for this client', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    const sent = ['ann', 'bob', 'cleo'].map((sender) => say(client, '/blocks 2', { sender }));
    const ends = await Promise.all(sent.map((id) => endOf(client, id)));
    client.send('delivered', { session_id: ends[0]?.session_id, seq: 3 });
    client.send('delivered', { session_id: ends[1]?.session_id, seq: 2 });
    await client.answerTo(client.send('ping'));
    await client.close();
    const again = await gateway.connect('c', TOKENS.driver);
    again.send('resume');
    const resumed = [await again.next('resumed'), await again.next('resumed')];
    const froms = Object.fromEntries(resumed.map((frame) => [frame.session_id, frame.payload['from_seq']]));
    expect(froms).toEqual({ [ends[1]?.session_id ?? '']: 3, [ends[2]?.session_id ?? '']: 1 });
  });

  it('[S-11] history returns messages with their standing blocks, page by page, newest last', async () => {
    const client = await gateway.connect('c', TOKENS.alice);
    const sessionId = await talk(client, '/blocks 1', '/blocks 2', '/fail');
    const read = async (payload: object) =>
      (await client.answerTo(client.send('history', payload, { session_id: sessionId })))
        .payload as never as HistoryPage;
    interface HistoryPage {
      messages: { content: string; blocks: unknown[]; end: { reason: string } }[];
      next_before?: string;
      head_seq: number;
    }
    const newest = await read({ limit: 2 });
    expect(newest.messages.map((message) => [message.content, message.blocks.length, message.end.reason])).toEqual([
      ['/blocks 2', 2, 'stop'],
      ['/fail', 1, 'error'],
    ]);
    expect(newest.head_seq).toBe(7);
    const older = await read({ limit: 2, before: newest.next_before });
    expect(older.messages.map((message) => message.content)).toEqual(['/blocks 1']);
    expect(older.next_before).toBeUndefined();
  });

  it('[S-11] history of a running message has the blocks so far', async () => {
    const client = await gateway.connect('c', TOKENS.alice);
    const id = say(client, '/blocks 2 60000');
    const block = await client.next('stream_block');
    const history = await client.answerTo(client.send('history', { limit: 1 }, { session_id: block.session_id }));
    expect(history.payload['messages']).toMatchObject([
      { message_id: id, status: 'running', blocks: [{ content: 'block 1' }] },
    ]);
  });

  it('[S-12] delivered beyond the head is refused, and unknown sessions do not exist', async () => {
    const client = await gateway.connect('c', TOKENS.alice);
    const sessionId = await talk(client, '/blocks 1');
    expect(await errorFor(client, client.send('delivered', { session_id: sessionId, seq: 9 }))).toMatchObject({
      code: 'STALE_RESUME',
    });
    expect(await errorFor(client, client.send('delivered', { session_id: 's_unknown', seq: 0 }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('[S-02] every connection that reads a session gets its frames, each client once', async () => {
    const [a, b] = [await gateway.connect('a', TOKENS.alice), await gateway.connect('b', TOKENS.alice)];
    const sessionId = await talk(a, '/blocks 1');
    b.send('resume', { sessions: [{ session_id: sessionId, after_seq: 2 }] });
    await b.next('resumed');
    const id = say(a, '/blocks 1');
    await Promise.all([endOf(a, id), endOf(b, id)]);
  });
});

describe('the connected frame', () => {
  it('[T-50] contains the identity and limits of the client, and the session that a user can continue', async () => {
    const first = await gateway.connect('c', TOKENS.alice);
    const sessionId = (await endOf(first, say(first, '/blocks 1'))).session_id;
    const client = await FrameClient.open(gateway.port, '?client_id=d', {
      headers: { authorization: `Bearer ${TOKENS.alice}` },
    });
    const { payload } = await client.next(() => true);
    expect(payload).toMatchObject({
      client_id: 'd',
      role: 'user',
      scopes: ['messages:write', 'presence:write', 'sessions:read'],
      protocol: 1,
      limits: { max_frame_bytes: 262_144, max_queued_per_session: 100 },
      heartbeat_interval_ms: 30_000,
      resume_window_ms: 86_400_000,
      session_id: sessionId,
    });
    await client.close();
  });
});

describe('presence, reactions and channel status', () => {
  it('[M-13] are applied without a response, in the order sent, and answered only when they are wrong', async () => {
    const client = await gateway.connect('c', TOKENS.driver);
    await endOf(client, say(client, '/blocks 1', {}, { id: 'm' }));
    client.unread.length = 0;
    client.send('presence', { channel: 'test', user_id: 'ann', status: 'typing' });
    client.send('reaction', { channel: 'test', sender: 'ann', message_id: 'm', emoji: '👍', action: 'added' });
    client.send('channel_status', { channel: 'test', status: 'connected' });
    await client.answerTo(client.send('ping'));
    expect(client.unread).toEqual([]);
    const health = await fetch(`${gateway.url}/health`, { headers: { authorization: `Bearer ${TOKENS.driver}` } });
    expect(await health.json()).toMatchObject({ connected_channels: ['test'] });
    expect(
      await errorFor(client, client.send('channel_status', { channel: 'other', status: 'connected' })),
    ).toMatchObject({ code: 'FORBIDDEN' });
    const alice = await gateway.connect('c', TOKENS.alice);
    const forged = alice.send('presence', { channel: 'test', user_id: 'bob', status: 'online' });
    expect(await errorFor(alice, forged)).toMatchObject({ code: 'FORBIDDEN' });
  });
});
