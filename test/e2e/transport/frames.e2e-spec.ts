import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type WsResponse,
} from '@nestjs/websockets';
import { Injectable, UseGuards } from '@nestjs/common';
import Type from 'typebox';
import { GatewayError, type InboundEnvelope } from '../../../src/protocol/index.js';
import type { Connection } from '../../../src/core/connections/connection.js';
import { ConnectionManagerService } from '../../../src/core/connections/connection-manager.service.js';
import { FrameTypeRegistry } from '../../../src/core/connections/frame-type.registry.js';
import { FrameClient } from '../../support/frame-client.js';
import { OPCODES, RawSocket, rawClose, rawFrame } from '../../support/raw-socket.js';
import { RecordingLogs } from '../../support/recording-logs.js';
import { EchoGateway, startTransport, type TransportApp } from '../../support/transport-app.js';
import { TOKEN, aMessage } from './support.js';

describe('frames', () => {
  let gateway: TransportApp;
  let client: FrameClient;
  const logs = new RecordingLogs();

  @WebSocketGateway(18789)
  class StepGateway implements OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
    readonly disconnected: string[] = [];
    private readonly gates = new Map<string, () => void>();

    async handleConnection(connection: Connection): Promise<void> {
      if (connection.clientId === 'held') await new Promise<void>((resolve) => this.gates.set('connection', resolve));
      if (connection.clientId === 'unlucky') throw new Error('a secret cause');
    }

    handleDisconnect(connection: Connection): void {
      this.disconnected.push(connection.clientId);
    }

    open(name: string): void {
      this.gates.get(name)?.();
      this.gates.delete(name);
    }

    get waiting(): string[] {
      return [...this.gates.keys()];
    }

    @SubscribeMessage('acme.wait')
    async wait(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
      await new Promise<void>((resolve) => this.gates.set((payload as { gate: string }).gate, resolve));
      connection.send({ kind: 'extension', type: 'acme.waited', payload: {}, requestId: id });
    }

    @SubscribeMessage('acme.fail')
    fail(_connection: Connection, { payload }: InboundEnvelope): void {
      if ('known' in payload) throw new GatewayError('NOT_FOUND', { what: 'a thing' });
      throw new Error('a secret cause');
    }

    @SubscribeMessage('acme.typed')
    answer(_connection: Connection, { payload }: InboundEnvelope): WsResponse<object> {
      return { event: 'acme.typed_answer', data: payload };
    }

    @UseGuards({ canActivate: () => false })
    @SubscribeMessage('acme.guarded')
    guarded(): void {}
  }

  @Injectable()
  class AcmeFrames {
    constructor(types: FrameTypeRegistry) {
      types.register('acme.typed', {
        payload: Type.Object({ n: Type.Integer() }, { additionalProperties: false }),
        scope: 'tools:call',
      });
    }
  }

  const tokens = [
    { token: TOKEN, principal: 'op', role: 'operator' },
    { token: 'a-token-of-a-channel', principal: 'telegram', role: 'channel', scopes: ['presence:write'] },
    { token: 'a-token-of-a-node', principal: 'kitchen', role: 'node' },
  ];
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const open = (query = '', token = TOKEN) => FrameClient.open(gateway.port, query, bearer(token));

  beforeAll(async () => {
    gateway = await startTransport({
      logs,
      gateways: [EchoGateway, StepGateway, AcmeFrames],
      settings: { 'auth.tokens': tokens },
    });
  });
  afterAll(() => gateway.close());
  afterEach(async () => {
    client = await open();
    expect((await client.answerTo(client.send('message_in', aMessage('hi')))).payload).toEqual({ content: 'hi' });
    await client.close();
  });

  it('[T-30] are handled one after the other, in the order received', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open();
    const first = client.send('acme.wait', { gate: 'a' });
    const second = client.send('message_in', aMessage('second'));
    const third = client.send('acme.wait', { gate: 'b' });
    await expect.poll(() => steps.waiting).toEqual(['a']);
    expect(client.unread.filter((frame) => frame.correlation_id)).toEqual([]);
    steps.open('a');
    await client.answerTo(second);
    await expect.poll(() => steps.waiting).toEqual(['b']);
    expect(client.unread.map((frame) => frame.correlation_id)).toContain(first);
    steps.open('b');
    await client.answerTo(third);
    await client.close();
  });

  it('[T-30] of one connection do not wait for those of another', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open();
    const other = await open();
    client.send('acme.wait', { gate: 'long' });
    await expect.poll(() => steps.waiting).toEqual(['long']);
    await other.answerTo(other.send('ping'));
    steps.open('long');
    await client.close();
    await other.close();
  });

  it('[T-31] are not handled before handleConnection has resolved', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=held');
    const id = client.send('ping');
    await expect.poll(() => steps.waiting).toEqual(['connection']);
    expect(gateway.app.get(ConnectionManagerService).list()).toEqual([]);
    expect(client.unread.map((frame) => frame.type)).toEqual(['acme.connected']);
    steps.open('connection');
    await client.answerTo(id);
    await client.close();
  });

  it('[T-31] a connection that cannot be accepted gets an error and is closed', async () => {
    client = await open('?client_id=unlucky');
    const refusal = await client.next('error');
    expect(refusal.payload).toMatchObject({ code: 'INTERNAL' });
    expect(JSON.stringify(refusal)).not.toContain('secret');
    expect((await client.ended).code).toBe(1001);
  });

  it('[T-26] a connection that ends before it was accepted is never listed', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=held');
    await expect.poll(() => steps.waiting).toEqual(['connection']);
    await client.close();
    steps.open('connection');
    await expect.poll(() => steps.disconnected).toContain('held');
    expect(gateway.app.get(ConnectionManagerService).list()).toEqual([]);
  });

  it('[T-32] that arrived before the end are handled before handleDisconnect is called', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=leaver');
    client.send('acme.wait', { gate: 'last' });
    await expect.poll(() => steps.waiting).toEqual(['last']);
    await client.close();
    expect(steps.disconnected).not.toContain('leaver');
    steps.open('last');
    await expect.poll(() => steps.disconnected).toContain('leaver');
  });

  it('[T-33] without a handler are UNKNOWN_TYPE, with a hint if there is one', async () => {
    client = await open();
    const refused = async (type: string) => (await client.answerTo(client.send(type))).payload;
    expect(await refused('nonsense')).toMatchObject({ code: 'UNKNOWN_TYPE', details: { type: 'nonsense' } });
    expect(await refused('stream_end')).toMatchObject({
      code: 'UNKNOWN_TYPE',
      details: { hint: 'only the gateway sends it' },
    });
    expect(await refused('acme.nothing')).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(await refused('toString')).toMatchObject({ code: 'UNKNOWN_TYPE' });
    const long = await refused('😀'.repeat(10_000));
    expect(JSON.stringify(long).length).toBeLessThan(1_000);
    await client.close();
  });

  it('[T-34] need the scope of their type: FORBIDDEN names the missing one', async () => {
    client = await open('', 'a-token-of-a-channel');
    const answer = await client.answerTo(client.send('message_in', aMessage('hi')));
    expect(answer.payload).toMatchObject({ code: 'FORBIDDEN', details: { missing_scope: 'messages:write' } });
    expect((await client.answerTo(client.send('acme.typed', { n: 1 }))).payload).toMatchObject({
      details: { missing_scope: 'tools:call' },
    });
    await client.close();
  });

  it('[T-34] of a node serve tools only', async () => {
    client = await open('', 'a-token-of-a-node');
    for (const type of ['message_in', 'acme.fail']) {
      expect((await client.answerTo(client.send(type, aMessage('hi')))).payload).toMatchObject({ code: 'FORBIDDEN' });
    }
    await client.close();
  });

  it('[T-35] with a wrong payload are INVALID_PAYLOAD, with a JSON pointer for each fault', async () => {
    client = await open();
    const answer = await client.answerTo(
      client.send('message_in', { channel: 'test', sender: '', content: 'x', colour: 'red' }, { session_id: 's_1' }),
    );
    expect(answer).toMatchObject({ session_id: 's_1', payload: { code: 'INVALID_PAYLOAD', retryable: false } });
    const { faults } = answer.payload['details'] as { faults: { pointer: string }[] };
    expect(faults.map((fault) => fault.pointer).sort()).toEqual(['/colour', '/sender']);
    await client.close();
  });

  it('[T-36] of an extension are checked by its registered schema, and a returned value is the response', async () => {
    client = await open();
    expect(await client.answerTo(client.send('acme.typed', { n: 1 }))).toMatchObject({
      type: 'acme.typed_answer',
      payload: { n: 1 },
    });
    expect((await client.answerTo(client.send('acme.typed', { n: 'one' }))).payload).toMatchObject({
      code: 'INVALID_PAYLOAD',
    });
    await client.close();
  });

  it('[T-37] whose handler throws are answered by an error frame; an unexpected cause stays in the log', async () => {
    client = await open();
    expect((await client.answerTo(client.send('acme.fail', { known: true }))).payload).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await client.answerTo(client.send('acme.guarded'))).payload).toMatchObject({ code: 'FORBIDDEN' });
    const answer = await client.answerTo(client.send('acme.fail', { text: 'what was sent' }));
    expect(answer.payload).toMatchObject({ code: 'INTERNAL', retryable: false });
    expect(JSON.stringify(answer)).not.toMatch(/secret|what was sent/);
    const { error_id: errorId } = answer.payload['details'] as { error_id: string };
    const logged = logs.entries.find(
      (entry) => entry.level === 'error' && JSON.stringify(entry.fields).includes(errorId),
    );
    expect((logged?.fields as { error: Error }).error.message).toBe('a secret cause');
    await client.close();
  });

  it('[T-38] that are not envelopes are INVALID_FRAME, under their id where it can be read', async () => {
    client = await open();
    client.socket.send('{"id":"slip","timestamp":1,"payload":{},"typ":"ping"}');
    expect((await client.answerTo('slip')).payload).toMatchObject({ code: 'INVALID_FRAME' });
    client.socket.send('not JSON');
    expect((await client.next('error')).payload).toMatchObject({ code: 'INVALID_FRAME' });
    await client.close();
  });

  it('[T-39] ten of which in a row are INVALID_FRAME close the connection with 4002; a valid one between resets the count', async () => {
    client = await open();
    for (let i = 0; i < 9; i++) client.socket.send('x');
    await client.answerTo(client.send('ping'));
    for (let i = 0; i < 10; i++) client.socket.send('x');
    expect(await client.ended).toEqual({ code: 4002, reason: 'Too many invalid frames' });
    expect(client.unread.filter((frame) => frame.type === 'error')).toHaveLength(19);
  });

  it('[T-40] sent after the gateway has closed are not handled', async () => {
    const steps = gateway.app.get(StepGateway);
    const raw = await RawSocket.upgrade(gateway.port, '/', { Authorization: `Bearer ${TOKEN}` });
    const wait = JSON.stringify({ type: 'acme.wait', id: '1', timestamp: 1, payload: { gate: 'never' } });
    raw.send(Buffer.concat([rawFrame(OPCODES.binary, 'x'), rawFrame(OPCODES.text, wait)]));
    expect((await raw.readClose()).code).toBe(1003);
    raw.send(rawFrame(OPCODES.text, wait));
    raw.send(rawClose(1003));
    await raw.ended();
    expect(steps.waiting).toEqual([]);
  });
});
