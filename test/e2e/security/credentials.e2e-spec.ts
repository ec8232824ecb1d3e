import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { FrameClient } from '../../support/frame-client.js';
import { httpRequest } from '../../support/http-request.js';
import { RawSocket, upgradeLines } from '../../support/raw-socket.js';
import { RecordingLogs } from '../../support/recording-logs.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { OPERATOR, USER, tokens, bearer, controllers, expectGoodService } from './support.js';

describe('credentials', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  const clock = new ManualClock();
  beforeAll(
    async () =>
      void (gateway = await startTransport({ controllers, logs, clock, settings: { 'auth.tokens': tokens } })),
  );
  afterAll(() => gateway.close());
  afterEach(async () => {
    clock.advance(60_000);
    await expectGoodService(gateway.port, OPERATOR);
    const logged = JSON.stringify(logs.entries);
    for (const { token } of tokens) expect(logged).not.toContain(token);
  });

  const endOf = async (options: Parameters<typeof FrameClient.open>[2]) => {
    const client = await FrameClient.open(gateway.port, '', options);
    client.send('message_in', { channel: 'test', sender: 'alice', content: 'let me in' });
    const end = await client.ended;
    expect(client.unread).toEqual([]);
    return end;
  };
  const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };

  it('[X-01] [X-13] a missing or wrong one is upgraded and closed with 4001 at once, and no frame is handled', async () => {
    expect(await endOf({})).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: bearer('not-the-token-of-anybody') })).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: { authorization: `Basic ${OPERATOR}` } })).toEqual(UNAUTHORIZED);
    expect(await endOf({ headers: bearer(OPERATOR.slice(0, -1)) })).toEqual(UNAUTHORIZED);
    expect(await endOf({ protocols: ['openclaw.v1', 'openclaw.bearer.not-the-token'] })).toEqual(UNAUTHORIZED);
  });

  it('[X-02] a browser sends it as a subprotocol, and gets only openclaw.v1 back', async () => {
    const client = await FrameClient.open(gateway.port, '', { protocols: ['openclaw.v1', `openclaw.bearer.${USER}`] });
    expect(client.socket.protocol).toBe('openclaw.v1');
    expect((await client.next('acme.connected')).payload['role']).toBe('user');
    await client.close();
  });

  it('[X-02] two different ones are refused, even if both are valid', async () => {
    expect(await endOf({ headers: bearer(OPERATOR), protocols: ['openclaw.v1', `openclaw.bearer.${USER}`] })).toEqual(
      UNAUTHORIZED,
    );
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines([
      ...upgradeLines(gateway.port),
      `Authorization: Bearer ${USER}`,
      `Authorization: Bearer ${OPERATOR}`,
    ]);
    expect((await raw.readHead()).status).toBe(101);
    expect(await raw.readClose()).toEqual(UNAUTHORIZED);
    raw.destroy();
  });

  it('[X-03] a token in the query string is always 400, and the response does not repeat it', async () => {
    for (const name of [
      'token',
      'access_token',
      'auth',
      'TOKEN',
      'api_key',
      'bearer',
      'authorization',
      'password',
      'jwt',
      'to%6ben',
    ]) {
      const raw = await RawSocket.connect(gateway.port);
      raw.sendLines(upgradeLines(gateway.port, `/?client_id=a&${name}=${OPERATOR}`, bearer(OPERATOR)));
      const answer = await raw.readAnswer();
      expect(answer.status).toBe(400);
      expect(answer.body).not.toContain(OPERATOR);
      const plain = await httpRequest(gateway.port, `/whoami?${name}=${OPERATOR}`, { headers: bearer(OPERATOR) });
      expect(plain.status).toBe(400);
      expect(plain.text).not.toContain(OPERATOR);
    }
  });

  it('[X-07] one of them ends open mode, even for this machine', async () => {
    expect((await httpRequest(gateway.port, '/whoami')).json()).toEqual({ principal: null });
    expect((await httpRequest(gateway.port, '/whoami', { headers: bearer(USER) })).json()).toEqual({
      principal: 'ulf',
    });
  });

  it('[X-08] too many failures from an address are 429, for every kind of credential; a valid one still passes', async () => {
    const fails = [
      () => FrameClient.open(gateway.port, '').then((client) => client.ended),
      () =>
        FrameClient.open(gateway.port, '', { headers: bearer('a-guess-of-a-token') }).then((client) => client.ended),
      () => httpRequest(gateway.port, '/admin/things', { headers: bearer('a-guess-of-a-token') }),
      () => httpRequest(gateway.port, '/whoami', { headers: bearer('a-guess-of-a-token') }),
    ];
    for (let i = 0; i < 20; i++) await fails[i % fails.length]!();
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('HTTP 429');
    const throttled = await httpRequest(gateway.port, '/admin/things', { headers: bearer('a-guess-of-a-token') });
    expect(throttled.status).toBe(429);
    expect(throttled.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await expectGoodService(gateway.port, OPERATOR);
    expect((await httpRequest(gateway.port, '/admin/things', { headers: bearer(OPERATOR) })).status).toBe(200);
    clock.advance(3_000);
    expect(await endOf({})).toEqual(UNAUTHORIZED);
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('HTTP 429');
  });

  it('[X-08] a flood of valid connections does not count as failures', async () => {
    for (let i = 0; i < 50; i++) await expectGoodService(gateway.port, OPERATOR);
    expect(await endOf({})).toEqual(UNAUTHORIZED);
  });
});
