import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FrameClient } from '../../support/frame-client.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';

describe('hostile frames', () => {
  let gateway: TransportApp;
  let client: FrameClient;
  beforeAll(async () => {
    gateway = await startTransport();
    client = await FrameClient.open(gateway.port);
  });
  afterAll(() => gateway.close());
  afterEach(() => client.answerTo(client.send('ping')));

  const refusal = async (source: string) => {
    client.socket.send(source);
    return (await client.next('error')).payload;
  };
  const frame = (payload: string, envelope = '') =>
    `{"type":"message_in","id":"junk","timestamp":1,"payload":${payload}${envelope}}`;
  const message = (more: string) => frame(`{"channel":"c","sender":"s","content":"x",${more}}`);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  it.each([
    ['[E-01] an empty text', ''],
    ['[E-01] JSON that is not an object', '[]'],
    ['[E-01] a number', '42'],
    ['[E-01] null', 'null'],
    ['[E-01] two objects', '{}{}'],
    ['[E-01] a byte order mark', `\ufeff${frame('{}')}`],
    ['[E-01] a comment', `${frame('{}')} // hello`],
    ['[E-01] no type', '{"id":"1","timestamp":1,"payload":{}}'],
    ['[E-01] a type that is not a string', '{"type":["ping"],"id":"1","timestamp":1,"payload":{}}'],
    ['[E-01] a timestamp with a fraction', '{"type":"ping","id":"1","timestamp":1.5,"payload":{}}'],
    ['[E-01] a payload that is a list', '{"type":"ping","id":"1","timestamp":1,"payload":[]}'],
    ['[E-02] an empty id', '{"type":"ping","id":"","timestamp":1,"payload":{}}'],
    ['[E-02] an id of 129 characters', `{"type":"ping","id":"${'i'.repeat(129)}","timestamp":1,"payload":{}}`],
    ['[E-02] an id with a line break', '{"type":"ping","id":"a\\nb","timestamp":1,"payload":{}}'],
    ['[E-03] an unknown field', frame('{}', ',"priority":10')],
    ['[E-04] 33 levels', message(`"metadata":{"a":${nested(33)}}`)],
    ['[E-04] 100,000 levels', message(`"metadata":{"a":${nested(100_000)}}`)],
    ['[E-04] 10,001 values', message(`"metadata":{"a":[${'1,'.repeat(10_001)}1]}`)],
    ['[E-05] __proto__', message('"metadata":{"__proto__":{"admin":true}}')],
    ['[E-05] an escaped __proto__', message('"metadata":{"\\u005f_proto__":1}')],
    ['[E-05] constructor', message('"metadata":{"constructor":{}}')],
    ['[E-05] prototype', frame('{"prototype":1}')],
  ])('%s: INVALID_FRAME', async (_, source) => expect((await refusal(source))['code']).toBe('INVALID_FRAME'));

  it.each([
    ['[E-07] NUL', '"sender_name":"a\\u0000b"'],
    ['[E-07] a lone surrogate', '"sender_name":"\\ud800"'],
    ['[E-07] NUL deep in metadata', '"metadata":{"a":[{"b":"\\u0000"}]}'],
    ['[E-07] a lone surrogate as a key of metadata', '"metadata":{"\\udc00":1}'],
    ['[E-07] a control character in a name', '"group_id":"a\\u0007"'],
    ['[E-03] an unknown field', '"is_admin":true'],
    ['[E-03] a wrong type', '"is_direct_mention":"yes"'],
    ['[E-06] 257 characters', `"sender_name":"${'n'.repeat(257)}"`],
  ])('[E-07] %s: INVALID_PAYLOAD', async (_, more) => {
    expect(await refusal(message(more))).toMatchObject({
      code: 'INVALID_PAYLOAD',
      details: { faults: [{ pointer: expect.stringMatching(/^\//) as string }] },
    });
  });

  it('[T-35] the report of a fault under a very long key is short', async () => {
    const key = 'k'.repeat(100_000);
    const refusals = [
      await refusal(message(`"${key}":1`)),
      await refusal(message(`"metadata":{"${key}":"\\u0000"}`)),
      await refusal(frame('{}', `,"${key}":1`)),
    ];
    expect(refusals.map((payload) => payload['code'])).toEqual(['INVALID_PAYLOAD', 'INVALID_PAYLOAD', 'INVALID_FRAME']);
    for (const payload of refusals) expect(JSON.stringify(payload).length).toBeLessThan(2_000);
  });

  it('[E-06] unusual but valid frames pass', async () => {
    const odd = [
      message('"metadata":{"Constructor":1,"a\\\\u0000":"b"}'),
      message(`"metadata":{"a":${nested(29)}}`),
      frame('{"channel":"c","sender":"s","content":"\\u0007 🦞 \\ud83e\\udd9e"}'),
    ];
    for (const source of odd) {
      client.socket.send(source);
      expect((await client.answerTo('junk')).type).toBe('acme.echo');
    }
  });
});
