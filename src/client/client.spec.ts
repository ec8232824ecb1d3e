import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayError } from '../protocol/errors.js';
import { ClientHarness, refusal } from '../testing/client-harness.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('the handshake', () => {
  it('[K-01] carries the token as a subprotocol and the client id in the query', () => {
    harness.connect(harness.makeClient({ token: 'a-token-of-sixteen', stream: 'delta', presence: true }));

    expect(harness.sockets.last.url).toBe('ws://127.0.0.1:18789/?client_id=client-1&stream=delta&subscribe=presence');
    expect(harness.sockets.last.protocols).toEqual(['openclaw.v1', 'openclaw.bearer.a-token-of-sixteen']);
  });

  it('keeps the path of an address, for a gateway behind a proxy', () => {
    harness.connect(harness.makeClient({ url: 'https://host/gateway' }));

    expect(harness.sockets.last.url).toBe('wss://host/gateway/?client_id=client-1');
  });

  it('refuses a token that a subprotocol cannot carry, without repeating it', () => {
    expect(() => harness.makeClient({ token: 'with a space in the middle' })).toThrow(/A token must match/);
    expect(() => harness.makeClient({ token: 'with a space in the middle' })).not.toThrow(/space/);
  });

  it('[K-01] generates a client id that stays the same for each attempt', () => {
    harness.connect(harness.makeClient({ clientId: undefined as never }));
    const { url } = harness.sockets.last;

    expect(url).toMatch(/client_id=[0-9a-f]{32}$/);
    harness.reconnect();
    expect(harness.sockets.last.url).toBe(url);
  });

  it('resolves connect() with the first frame and reports each state', async () => {
    const states: string[] = [];
    harness.client.on('state', ({ name }) => states.push(name));
    const connecting = harness.client.connect();
    harness.sockets.last.deliverConnected({ role: 'operator' });

    expect(await connecting).toMatchObject({ role: 'operator' });
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('gives up on a gateway that opens the socket and sends nothing', () => {
    void harness.client.connect();
    harness.clock.advance(10_000);

    expect(harness.sockets.last.isClosed).toBe(true);
    expect(harness.client.state).toMatchObject({ name: 'waiting', retryInMs: 500 });
  });
});

describe('everything else', () => {
  it('sends presence, reactions, channel status and cancels', () => {
    const socket = harness.connect();
    harness.client.presence({ channel: 'test', user_id: 'alice', status: 'typing' });
    harness.client.reaction({ channel: 'test', sender: 'alice', message_id: 'a', emoji: '+', action: 'added' });
    harness.client.channelStatus({ channel: 'test', status: 'connected' });
    harness.client.cancelSession('s1');
    harness.client.cancelMessage('m-of-bob');

    expect(socket.sent.map(({ type }) => type)).toEqual(['presence', 'reaction', 'channel_status', 'cancel', 'cancel']);
    expect(socket.sent[3]).toMatchObject({ session_id: 's1', payload: {} });
    expect(socket.sent[4]).toMatchObject({ payload: { message_ref: 'm-of-bob' } });
  });

  it('sends extension requests, again after a lost connection', async () => {
    const asked = harness.connect().sent;
    const answer = harness.client.ask('acme.weather', { city: 'Bern' });
    const socket = harness.reconnect();
    expect(socket.sent).toEqual(asked);
    socket.deliver({ type: 'acme.forecast', correlation_id: asked[0]!.id, payload: { sky: 'blue' } });

    expect(await answer).toEqual({ sky: 'blue' });
  });

  it('reports errors that belong to no request, even with unknown codes', () => {
    const errors: GatewayError[] = [];
    harness.client.on('error', (error) => errors.push(error));
    harness.connect().deliver(refusal('unknown', 'NEW_IN_VERSION_2'));

    expect(errors).toMatchObject([
      { code: 'NEW_IN_VERSION_2', message: 'refused: NEW_IN_VERSION_2', retryable: false },
    ]);
  });

  it('passes on unknown frames, and ignores anything that is not a frame', () => {
    const frames: string[] = [];
    harness.client.on('frame', ({ type }) => frames.push(type));
    const socket = harness.connect();
    socket.deliver({ type: 'vendor.news', payload: {} });

    expect(frames).toEqual(['vendor.news']);
  });
});
