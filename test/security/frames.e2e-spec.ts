import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboundTable } from '../../src/protocol/index.js';
import type { FrameClient } from '../support/frame-client.js';
import { TOKENS, useTarget } from './target.js';

const target = useTarget();
const message = (changes: object = {}) => ({ channel: 'test', sender: 'alice', content: 'hello', ...changes });

/** Sends a frame. Resolves with what answers it, not with frames of a reply to a message of the same id. */
function ask(client: FrameClient, type: string, payload: object, changes: object = {}) {
  const id = client.send(type, payload, changes);
  return client.next((frame) => frame.correlation_id === id && !/^(stream_|tool_)/.test(frame.type));
}
/** Sends a frame and returns the payload of the `error` that answers it. */
async function refusal(client: FrameClient, type: string, payload: object, changes: object = {}) {
  const answer = await ask(client, type, payload, changes);
  expect(answer.type).toBe('error');
  return answer.payload;
}
async function say(client: FrameClient, payload: object, changes: object = {}) {
  const { session_id: sessionId = '', payload: ack } = await ask(client, 'message_in', payload, changes);
  expect(ack).toHaveProperty('status');
  return { sessionId, ref: String(ack['message_ref']), status: ack['status'] };
}
const endOf = (client: FrameClient, ref: string) =>
  client.next(({ type, payload }) => type === 'stream_end' && payload['message_ref'] === ref);

describe('junk in an envelope', () => {
  let client: FrameClient;
  beforeAll(async () => void (client = await target.connect()));
  afterAll(() => client.close());

  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const frame = (payload: string, more = '') =>
    `{"type":"message_in","id":"junk","timestamp":1,"payload":${payload}${more}}`;
  const inPayload = (more: string) => frame(`{"channel":"test","sender":"s","content":"x",${more}}`);
  const codeOf = async (source: string) => {
    client.socket.send(source);
    const { payload } = await client.next('error');
    // A valid frame, so that ten invalid ones in a row do not end the connection.
    await client.answerTo(client.send('ping'));
    return payload['code'];
  };

  it.each<[string, string]>([
    ['nothing', ''],
    ['a list', '[]'],
    ['a number', '42'],
    ['null', 'null'],
    ['NaN', '{"type":NaN}'],
    ['two objects', '{}{}'],
    ['a byte order mark', `\ufeff${frame('{}')}`],
    ['a comment', `${frame('{}')} // hello`],
    ['single quotes', "{'type':'ping'}"],
    ['no type', '{"id":"1","timestamp":1,"payload":{}}'],
    ['a type that is a list', '{"type":["ping"],"id":"1","timestamp":1,"payload":{}}'],
    ['a timestamp with a fraction', '{"type":"ping","id":"1","timestamp":1.5,"payload":{}}'],
    ['a timestamp beyond numbers', '{"type":"ping","id":"1","timestamp":1e999,"payload":{}}'],
    ['a payload that is a list', '{"type":"ping","id":"1","timestamp":1,"payload":[]}'],
    ['an empty id', '{"type":"ping","id":"","timestamp":1,"payload":{}}'],
    ['an id of 129 characters', `{"type":"ping","id":"${'i'.repeat(129)}","timestamp":1,"payload":{}}`],
    ['an id that is a number', '{"type":"ping","id":1,"timestamp":1,"payload":{}}'],
    ['an id with a line break', '{"type":"ping","id":"a\\nb","timestamp":1,"payload":{}}'],
    ['an id with an escape of terminals', '{"type":"ping","id":"\\u001b[2J","timestamp":1,"payload":{}}'],
    ['a priority of its own', frame('{}', ',"priority":10')],
    ['a seq of its own', frame('{}', ',"seq":1')],
    ['a tenant of its own', frame('{}', ',"tenant":"acme"')],
    ['a principal of its own', frame('{}', ',"principal":"owner"')],
    ['33 levels', inPayload(`"metadata":{"a":${nested(33)}}`)],
    ['100,000 levels', inPayload(`"metadata":{"a":${nested(100_000)}}`)],
    ['10,001 values', inPayload(`"metadata":{"a":[${'1,'.repeat(10_001)}1]}`)],
    ['10,000 keys', inPayload(`"metadata":{${Array.from({ length: 10_000 }, (_, n) => `"k${n}":1`).join()}}`)],
    ['__proto__', inPayload('"metadata":{"__proto__":{"isAssumed":false}}')],
    ['an escaped __proto__', inPayload('"metadata":{"\\u005f_proto__":1}')],
    ['constructor', inPayload('"metadata":{"constructor":{"prototype":{}}}')],
    ['prototype', frame('{"prototype":1}')],
    ['__proto__ in the envelope', frame('{}', ',"__proto__":{"type":"ping"}')],
  ])('[SE-17] %s: INVALID_FRAME', async (_, source) => expect(await codeOf(source)).toBe('INVALID_FRAME'));

  it.each<[string, string]>([
    ['NUL, which PostgreSQL cannot store', '"sender_name":"a\\u0000b"'],
    ['NUL in metadata', '"metadata":{"a":[{"b":"\\u0000"}]}'],
    ['NUL as a key', '"metadata":{"\\u0000":1}'],
    ['a lone surrogate', '"sender_name":"\\ud800"'],
    ['a lone surrogate as a key', '"metadata":{"\\udc00":1}'],
    ['a bell in a name', '"group_id":"a\\u0007"'],
    ['a line break in a name', '"sender_name":"a\\nb"'],
    ['an empty name', '"group_id":""'],
    ['257 characters', `"sender_name":"${'n'.repeat(257)}"`],
    ['a right of its own', '"is_admin":true'],
    ['a flag that is a text', '"is_direct_mention":"yes"'],
    ['33 attachments', `"attachments":[${Array.from({ length: 33 }, () => '{"kind":"file"}').join()}]`],
    ['an attachment of another kind', '"attachments":[{"kind":"script"}]'],
    ['a file that is not base64', '"attachments":[{"kind":"file","data":"<script>"}]'],
  ])('[SE-17] %s: INVALID_PAYLOAD', async (_, more) => expect(await codeOf(inPayload(more))).toBe('INVALID_PAYLOAD'));

  it('[SE-17] ten invalid frames in a row: 4002', async () => {
    const own = await target.connect();
    for (let n = 0; n < 10; n++) own.socket.send('{');
    expect((await own.ended).code).toBe(4002);
  });

  it('[SE-17] a fault under a key of 100,000 characters is reported briefly', async () => {
    client.socket.send(inPayload(`"${'k'.repeat(100_000)}":1`));
    const { payload } = await client.next('error');
    expect(JSON.stringify(payload).length).toBeLessThan(2_000);
  });
});

describe('types of frames', () => {
  it.each(Object.keys(outboundTable).filter((type) => type !== 'presence' && type !== 'history'))(
    '[SE-18] the outbound type %s, sent by a client: UNKNOWN_TYPE',
    async (type) => {
      for (const token of [TOKENS.driver, TOKENS.operator]) {
        const client = await target.connect(token);
        expect(await refusal(client, type, {})).toMatchObject({ code: 'UNKNOWN_TYPE' });
        await client.close();
      }
    },
  );

  it.each([
    'PING',
    'ping ',
    'message-in',
    '__proto__',
    'constructor',
    'toString',
    'vendor.unknown',
    'hasOwnProperty',
    'рing',
  ])('[SE-18] the look-alike %s: UNKNOWN_TYPE', async (type) => {
    const client = await target.connect();
    expect(await refusal(client, type, {})).toMatchObject({ code: 'UNKNOWN_TYPE' });
    await client.close();
  });
});

describe('a client with few rights', () => {
  let alice: FrameClient;
  let bob: FrameClient;
  let driver: FrameClient;
  let otherDriver: FrameClient;
  let reader: FrameClient;
  let stranger: FrameClient;
  beforeAll(async () => {
    alice = await target.connect(TOKENS.alice, '?client_id=a');
    bob = await target.connect(TOKENS.bob, '?client_id=a');
    driver = await target.connect(TOKENS.driver, '?client_id=d');
    otherDriver = await target.connect(TOKENS.otherDriver, '?client_id=d');
    reader = await target.connect(TOKENS.reader);
    stranger = await target.connect(TOKENS.stranger);
  });
  afterAll(() => Promise.all([alice, bob, driver, otherDriver, reader, stranger].map((client) => client.close())));

  it('[SE-18] of role user sends as its own sender only', async () => {
    for (const sender of ['bob', 'Alice', 'alice ', 'аlice', 'owner'])
      expect(await refusal(alice, 'message_in', message({ sender }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(alice, 'presence', { channel: 'test', user_id: 'bob', status: 'typing' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    const reaction = { channel: 'test', sender: 'bob', message_id: 'm', emoji: '👍', action: 'added' };
    expect(await refusal(alice, 'reaction', reaction)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[SE-18] of role user stays in its channels', async () => {
    for (const channel of ['other', 'webchat', 'telegram', 'TEST', 'cron', 'mcp'])
      expect(await refusal(alice, 'message_in', message({ channel }))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(alice, 'channel_status', { channel: 'test', status: 'connected' })).toMatchObject({
      code: 'FORBIDDEN',
      details: { missing_scope: 'channels:write' },
    });
  });

  it('[SE-18] of role user walks into no group, queue or session by its name', async () => {
    const { sessionId } = await say(driver, message({ sender: 'carol', group_id: 'family' }));
    const { sessionId: ofBob } = await say(bob, message({ sender: 'bob' }));
    for (const changes of [{ group_id: 'family' }, { queue: 'support' }, { group_id: 'family', thread_id: 't' }])
      expect(await refusal(alice, 'message_in', message(changes))).toMatchObject({ code: 'NOT_FOUND' });
    for (const session_id of [sessionId, ofBob, 's_unknown'])
      expect(await refusal(alice, 'message_in', message(), { session_id })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it("[SE-18] neither reads, cancels, confirms nor supersedes what is another's", async () => {
    const { sessionId: session_id, ref } = await say(bob, message({ sender: 'bob', content: '/wait 60000' }));
    for (const client of [alice, otherDriver, stranger]) {
      expect(await refusal(client, 'history', { limit: 1 }, { session_id })).toMatchObject({ code: 'NOT_FOUND' });
      expect(await refusal(client, 'resume', { sessions: [{ session_id, after_seq: 0 }] })).toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await refusal(client, 'delivered', { session_id, seq: 1 })).toMatchObject({ code: 'NOT_FOUND' });
      expect(await refusal(client, 'cancel', { message_ref: ref })).toMatchObject({ code: 'NOT_FOUND' });
      expect(await refusal(client, 'cancel', {}, { session_id })).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await refusal(alice, 'message_in', message({ supersedes: ref })))['code']).toMatch(
      /INVALID_PAYLOAD|NOT_FOUND/,
    );
    // The same client_id and message id of another principal are another message.
    const id = 'one-id-of-two-people';
    const first = await say(alice, message({ content: 'mine' }), { id });
    const second = await say(driver, message({ sender: 'dora', content: 'other' }), { id });
    expect([first.status, second.status]).toEqual(['queued', 'queued']);
    bob.send('cancel', { message_ref: ref });
    expect((await endOf(bob, ref)).payload['reason']).toBe('cancelled');
  });

  it('[SE-18] answers as if what it may not see did not exist', async () => {
    const { sessionId } = await say(bob, message({ sender: 'bob' }));
    const asked = async (session_id: string) => {
      const { details, ...refused } = await refusal(alice, 'history', { limit: 1 }, { session_id });
      return [
        refused,
        JSON.stringify(details ?? {}).replaceAll(session_id, 'ID'),
        String(refused['message']).replaceAll(session_id, 'ID'),
      ].slice(1);
    };
    expect(await asked(sessionId)).toEqual(await asked(`${sessionId.slice(0, -1)}_`));
  });

  it('[SE-18] of role user has no say in who is addressed, who is an admin and what is only kept', async () => {
    const { sessionId: session_id } = await say(driver, message({ group_id: 'club', content: '@openclaw hello' }));
    const flags = { is_direct_mention: true, is_reply_to_agent: true, sender_is_admin: true };
    const forged = await say(alice, message({ group_id: 'club', content: 'psst', ...flags }));
    expect(forged.status).toBe('observed');
    expect((await say(alice, message({ content: 'hello', observe: true }))).status).toBe('queued');
    const { ref } = await say(alice, message({ group_id: 'club', content: '/activation always', ...flags }));
    const { payload } = await alice.next(
      (frame) => frame.type === 'stream_block' && frame.payload['message_ref'] === ref,
    );
    expect(payload['content']).toMatch(/admin|operator/i);
    expect((await say(alice, message({ group_id: 'club', content: 'psst' }))).status).toBe('observed');
    expect(session_id).toBe(forged.sessionId);
  });

  it.each([
    '@openclawx',
    '@openclaw-bot',
    'x@openclaw.com',
    '@openclaw.com',
    '@ openclaw',
    '@openсlaw',
    '@open\u200bclaw',
  ])('[SE-18] the look-alike of a mention %s in a group is none', async (content) =>
    expect((await say(driver, message({ group_id: 'mentions', content }))).status).toBe('observed'),
  );

  it('[SE-18] of another channel sends nothing there', async () => {
    expect(await refusal(otherDriver, 'message_in', message())).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(otherDriver, 'channel_status', { channel: 'test', status: 'error' })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await refusal(otherDriver, 'presence', { channel: 'test', user_id: 'x', status: 'idle' })).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('[SE-18] without the scope sends nothing, and learns which scope it lacks', async () => {
    expect(await refusal(reader, 'message_in', message())).toMatchObject({
      code: 'FORBIDDEN',
      details: { missing_scope: 'messages:write' },
    });
    const approval = { approval_id: 'a_1', decision: 'allow', arguments_sha256: 'a'.repeat(64) };
    expect(await refusal(reader, 'approval', approval)).toMatchObject({ code: 'FORBIDDEN' });
    for (const type of ['node_register', 'tool_result', 'node_event'])
      expect((await refusal(driver, type, {}))['code']).toMatch(/FORBIDDEN/);
  });

  it('[SE-10] of another tenant shares neither sessions, names nor clients', async () => {
    const own = await say(alice, message());
    const theirs = await say(stranger, message());
    expect(theirs.sessionId).not.toBe(own.sessionId);
    const { payload } = await stranger.answerTo(
      stranger.send('history', { limit: 200 }, { session_id: theirs.sessionId }),
    );
    expect((payload['messages'] as object[]).length).toBe(1);
    await expect(target.connect(TOKENS.stranger, '?tenant=default')).rejects.toThrow();
    await expect(target.connect(TOKENS.operator, '?tenant=acme')).rejects.toThrow();
  });

  it('[SE-18] a second frame of authentication changes nothing', async () => {
    for (const type of ['auth', 'authenticate', 'connect', 'connected', 'login'])
      expect(await refusal(alice, type, { token: 'canary-guess-0123456789' })).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(await refusal(alice, 'message_in', message({ sender: 'bob' }))).toMatchObject({ code: 'FORBIDDEN' });
  });
});
