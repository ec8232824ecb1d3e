import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let client: FrameClient;
let tests = 0;
let messages = 0;
beforeAll(async () => void (gateway = await GatewayApp.start({ settings: withTokens })));
beforeEach(async () => void (client = await gateway.connect(`c${++tests}`, TOKENS.driver)));
afterAll(() => gateway.close());

/** Sends a message of this test's sender. Resolves with its acknowledgement. */
const say = (content: string, payload: object = {}) =>
  client.answerTo(
    client.send(
      'message_in',
      { channel: 'test', sender: `sender-${tests}`, content, ...payload },
      { id: `message-${++messages}` },
    ),
  );
const endOf = (ref: unknown) =>
  client.next((frame) => frame.type === 'stream_end' && frame.payload['message_ref'] === ref);
const answered = async (content: string) => {
  const ack = await say(content);
  await endOf(ack.payload['message_ref']);
  return ack;
};
const marks = async (session_id: string | undefined) => {
  const request = client.send('history', { limit: 50 }, session_id === undefined ? {} : { session_id });
  const { payload } = await client.answerTo(request);
  const listed = payload['messages'] as { content: string; status: string; superseded_by?: string }[];
  return listed.map(({ content, status, superseded_by }) => [content, status, superseded_by]);
};

describe('a message with supersedes', () => {
  it('[M-20] goes to the session of the message that it names, and marks it in the history', async () => {
    const first = await answered('/blocks 1');
    await answered('/blocks 1 ');
    const again = await say('/blocks 2', { supersedes: first.payload['message_ref'] });
    expect(again).toMatchObject({ type: 'message_ack', session_id: first.session_id, payload: { status: 'queued' } });
    const ref = again.payload['message_ref'];
    await endOf(ref);
    expect(await marks(first.session_id)).toEqual([
      ['/blocks 1', 'done', ref],
      ['/blocks 1 ', 'done', ref],
      ['/blocks 2', 'done', undefined],
    ]);
  });

  it('[M-21] ends a waiting message as cancelled, whose readers see that end', async () => {
    const runs = await say('/wait 60000');
    const waits = await say('wrong');
    const again = await say('right', { supersedes: waits.payload['message_ref'] });
    const end = await endOf(waits.payload['message_ref']);
    expect(end.payload).toMatchObject({ reason: 'cancelled', blocks: 0 });
    client.send('cancel', { message_ref: runs.payload['message_ref'] });
    await endOf(again.payload['message_ref']);
    expect(await marks(runs.session_id)).toMatchObject([
      ['/wait 60000', 'cancelled', undefined],
      ['wrong', 'cancelled', again.payload['message_ref']],
      ['right', 'done', undefined],
    ]);
  });

  it('[M-20] is INVALID_PAYLOAD when it names a running message, one of another sender, or none', async () => {
    const ended = await answered('/blocks 1');
    const running = await say('/wait 60000');
    const refused = [
      { supersedes: running.payload['message_ref'] },
      { supersedes: ended.payload['message_ref'], sender: 'another' },
      { supersedes: 'm_unknown' },
      { supersedes: '' },
    ];
    for (const payload of refused) {
      const { type, payload: error } = await say('again', payload);
      expect(type).toBe('error');
      expect(error).toMatchObject({ code: 'INVALID_PAYLOAD', details: { faults: [{ pointer: '/supersedes' }] } });
    }
    client.send('cancel', { message_ref: running.payload['message_ref'] });
    await endOf(running.payload['message_ref']);
    expect(await marks(ended.session_id)).toHaveLength(2);
  });
});
