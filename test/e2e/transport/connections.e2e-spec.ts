import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ConnectionManagerService } from '../../../src/core/connections/connection-manager.service.js';
import { MAX_BUFFERED_BYTES } from '../../../src/core/delivery/frame-reader.js';
import { ManualClock } from '../../../src/testing/index.js';
import { FrameClient } from '../../support/frame-client.js';
import { OPCODES, RawSocket, rawFrame } from '../../support/raw-socket.js';
import type { WebSocketConnection } from '../../../src/websocket/websocket-connection.js';
import { startTransport } from '../../support/transport-app.js';
import { TOKEN, aMessage, expectGoodService, staysFull } from './support.js';

describe('connections', () => {
  it('[T-41] an older connection of the same client is closed with 4010; another principal or another name is another client', async () => {
    const tokens = [
      { token: TOKEN, principal: 'one', role: 'operator' },
      { token: 'another-token-of-op', principal: 'two', role: 'operator' },
    ];
    const gateway = await startTransport({ settings: { 'auth.tokens': tokens } });
    const open = (query: string, token = TOKEN) =>
      FrameClient.open(gateway.port, query, { headers: { authorization: `Bearer ${token}` } });
    const older = await open('?client_id=a');
    const others = [await open('?client_id=a', 'another-token-of-op'), await open('?client_id=b')];
    const newer = await open('?client_id=a');
    expect(await older.ended).toEqual({ code: 4010, reason: 'Replaced by a newer connection of this client' });
    for (const client of [...others, newer]) await client.answerTo(client.send('ping'));
    expect(gateway.app.get(ConnectionManagerService).count).toBe(3);
    await gateway.close();
  });

  it('[T-42] a client that sends without reading makes the gateway stop reading, and loses nothing when it reads again', async () => {
    const gateway = await startTransport({ settings: { 'limits.messages_per_minute': 1_000_000 } });
    const connections = gateway.app.get(ConnectionManagerService);
    const client = await FrameClient.open(gateway.port);
    await client.answerTo(client.send('ping'));
    const [connection] = connections.list();
    client.socket.pause();
    const content = 'x'.repeat(16_384);
    const ids: string[] = [];
    // More than all the buffers on the way can hold.
    while (client.socket.bufferedAmount < 4 * MAX_BUFFERED_BYTES) {
      for (let i = 0; i < 64; i++) ids.push(client.send('message_in', aMessage(content)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connection!.bufferedBytes).toBeGreaterThan(MAX_BUFFERED_BYTES / 2);
    expect(connection!.bufferedBytes).toBeLessThan(MAX_BUFFERED_BYTES * 2);
    await expectGoodService(gateway.port);
    client.socket.resume();
    for (const id of ids) await client.answerTo(id);
    await client.close();
    await gateway.close();
  });

  it('[T-43] a peer that reads nothing for a minute is closed with 4013, even if its sessions have no frames', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock });
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const [connection] = gateway.app.get(ConnectionManagerService).list() as WebSocketConnection[];
    raw.socket.pause();
    while (!(await staysFull(connection!))) connection!.sendFrame('x'.repeat(1_000_000));
    // The first heartbeat sees that the peer has read, the next that it has not; then the minute starts.
    clock.advance(4 * 30_000 - 1);
    expect(connection!.isAlive).toBe(true);
    clock.advance(1);
    raw.socket.resume();
    expect(await raw.readClose()).toEqual({ code: 4013, reason: 'Reader too slow' });
    raw.destroy();
    await gateway.close();
  });

  it('[T-44] whenWritable resolves when the peer has read enough, and when it is gone', async () => {
    const gateway = await startTransport();
    const connections = gateway.app.get(ConnectionManagerService);
    const client = await FrameClient.open(gateway.port);
    await client.answerTo(client.send('ping'));
    const [connection] = connections.list();
    const filler = { kind: 'extension', type: 'acme.filler', payload: { text: 'x'.repeat(1_000_000) } } as const;
    await connection!.whenWritable();
    client.socket.pause();
    while (!(await staysFull(connection!))) connection!.send(filler);
    const writable = connection!.whenWritable();
    client.socket.resume();
    await writable;
    expect(connection!.bufferedBytes).toBeLessThanOrEqual(MAX_BUFFERED_BYTES / 2);
    client.socket.pause();
    while (!(await staysFull(connection!))) connection!.send(filler);
    const gone = connection!.whenWritable();
    client.socket.terminate();
    await gone;
    await gateway.close();
  });

  it('[T-45] responses of one tick leave in one write', async () => {
    const gateway = await startTransport();
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    let chunks = 0;
    raw.socket.on('data', () => chunks++);
    const frames = Array.from({ length: 100 }, (_, i) =>
      rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: String(i), timestamp: 1, payload: {} })),
    );
    raw.send(Buffer.concat(frames));
    for (let i = 0; i < 100; i++)
      expect((await raw.readFrame()).payload.toString()).toContain(`"correlation_id":"${i}"`);
    expect(chunks).toBe(1);
    raw.destroy();
    await gateway.close();
  });

  it('[T-46] are closed with 1012 when the gateway stops, and no upgrade is accepted then', async () => {
    const gateway = await startTransport();
    const clients = await Promise.all([1, 2, 3].map(() => FrameClient.open(gateway.port)));
    const stopped = gateway.close();
    for (const client of clients) expect(await client.ended).toEqual({ code: 1012, reason: 'Gateway restarting' });
    await stopped;
    // Without a reason: the port may be another test's by now.
    await expect(FrameClient.open(gateway.port)).rejects.toThrow();
  });

  it('[T-47] share the port of HTTP, which keeps responding', async () => {
    const gateway = await startTransport();
    await expectGoodService(gateway.port);
    const status = await new Promise((resolve, reject) =>
      request({ port: gateway.port, path: '/nothing' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(404);
    await gateway.close();
  });
});
