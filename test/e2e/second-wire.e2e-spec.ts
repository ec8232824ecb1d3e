import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { LineWireModule } from '../support/line-wire.js';

let app: GatewayApp;
beforeEach(async () => void (app = await GatewayApp.start({ modules: [LineWireModule], settings: withTokens })));
afterEach(() => app.close());

/** A client of the second wire. */
class LineClient {
  private readonly lines: string[] = [];
  private readonly waiting: (() => void)[] = [];
  readonly closed: Promise<number>;

  constructor(
    readonly socket: WebSocket,
    private readonly opened = new Promise<void>((resolve) => socket.once('open', () => resolve())),
  ) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data: Buffer) => {
      this.lines.push(...data.toString().split('\n'));
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  async send(line: string): Promise<void> {
    await this.opened;
    this.socket.send(line);
  }

  async next(): Promise<unknown> {
    while (this.lines.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return JSON.parse(this.lines.shift()!) as unknown;
  }
}

function connect(token: string = TOKENS.operator): LineClient {
  const headers = { authorization: `Bearer ${token}` };
  return new LineClient(new WebSocket(`ws://127.0.0.1:${app.port}/lines`, { headers }));
}

describe('a second wire on its own path', () => {
  it('[T-52] accepts messages and sends their replies, next to the first wire', async () => {
    const client = connect();
    await client.send(JSON.stringify({ id: '1', say: '/blocks 2' }));
    expect([await client.next(), await client.next(), await client.next(), await client.next()]).toEqual([
      { ok: '1' },
      { block: 'block 1' },
      { block: 'block 2' },
      { end: '1' },
    ]);
    const first = await app.connect('client', TOKENS.operator);
    expect(await first.answerTo(first.send('ping'))).toMatchObject({ type: 'pong' });
    client.socket.close();
  });

  it('[T-52] refuses in its own format, and closes a peer that keeps sending unreadable frames', async () => {
    const client = connect();
    await client.send(JSON.stringify({ id: '1', say: '' }));
    expect(await client.next()).toEqual({ no: 'INVALID_PAYLOAD', id: '1' });
    for (let i = 0; i < 10; i++) await client.send('not json');
    for (let i = 0; i < 10; i++) expect(await client.next()).toEqual({ no: 'INVALID_FRAME' });
    expect(await client.closed).toBe(4002);
  });

  it('[T-52] is guarded by the same upgrade', async () => {
    expect(await connect('wrong-token-0123456789ab').closed).toBe(4001);
    const unknownPath = new WebSocket(`ws://127.0.0.1:${app.port}/elsewhere`);
    const [, response] = await new Promise<[unknown, { statusCode?: number }]>((resolve) =>
      unknownPath.once('unexpected-response', (...answer) => resolve(answer)),
    );
    expect(response.statusCode).toBe(404);
  });
});
