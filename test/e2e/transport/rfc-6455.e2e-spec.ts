import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionManagerService } from '../../../src/core/connections/connection-manager.service.js';
import { ManualClock } from '../../../src/testing/index.js';
import { FrameClient } from '../../support/frame-client.js';
import { OPCODES, RawSocket, rawClose, rawFrame } from '../../support/raw-socket.js';
import { RecordingLogs } from '../../support/recording-logs.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { aMessage, expectGoodService } from './support.js';

describe('violations of RFC 6455', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  beforeAll(
    async () => void (gateway = await startTransport({ logs, settings: { 'gateway.max_frame_bytes': 65_536 } })),
  );
  afterAll(() => gateway.close());
  afterEach(async () => {
    await expectGoodService(gateway.port);
    expect(logs.entries.filter((entry) => entry.level === 'warn' || entry.level === 'error')).toEqual([]);
    expect(JSON.stringify(logs.entries)).not.toContain('node_modules');
  });

  const closeAfter = async (...frames: readonly Buffer[]) => {
    const raw = await RawSocket.upgrade(gateway.port);
    raw.send(Buffer.concat(frames));
    const close = await raw.readClose();
    raw.send(rawClose(close.code));
    await raw.ended();
    return close;
  };

  it('[T-20] binary frames: 1003', async () => {
    expect(await closeAfter(rawFrame(OPCODES.binary, '{}'))).toEqual({
      code: 1003,
      reason: 'Binary frames are not accepted',
    });
    expect(
      (await closeAfter(rawFrame(OPCODES.binary, '', { final: false }), rawFrame(OPCODES.continuation, ''))).code,
    ).toBe(1003);
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong encoding', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('[T-21] invalid UTF-8 (%s): 1007', async (_, bytes) => {
    expect(await closeAfter(rawFrame(OPCODES.text, Buffer.from(bytes)))).toEqual({
      code: 1007,
      reason: 'Invalid UTF-8',
    });
  });

  it('[T-21] a character that is split between two fragments is joined', async () => {
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const text = Buffer.from(JSON.stringify({ type: 'message_in', id: '1', timestamp: 1, payload: aMessage('🦞') }));
    const cut = text.indexOf(0xf0) + 2;
    raw.send(rawFrame(OPCODES.text, text.subarray(0, cut), { final: false }));
    raw.send(rawFrame(OPCODES.ping, 'between'));
    raw.send(rawFrame(OPCODES.continuation, text.subarray(cut)));
    expect(await raw.readFrame()).toEqual({ opcode: OPCODES.pong, payload: Buffer.from('between') });
    expect((await raw.readFrame()).payload.toString()).toContain('"content":"🦞"');
    raw.destroy();
  });

  it('[T-22] a frame of exactly max_frame_bytes passes; one byte more, announced or sent: 1009', async () => {
    const client = await FrameClient.open(gateway.port);
    const frame = JSON.stringify({ type: 'ping', id: 'large', timestamp: 1, payload: {} });
    client.socket.send(frame + ' '.repeat(65_536 - frame.length));
    await client.answerTo('large');
    client.socket.send(frame + ' '.repeat(65_537 - frame.length));
    expect(await client.ended).toEqual({ code: 1009, reason: 'Frame too big' });
    const claim = (claimedLength: bigint) => closeAfter(rawFrame(OPCODES.text, '', { claimedLength }));
    for (const length of [65_537n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
      expect(await claim(length)).toEqual({ code: 1009, reason: 'Frame too big' });
    }
  });

  it('[T-22] a fragmented message has a limit of its total size and of its fragments: 1009', async () => {
    const piece = rawFrame(OPCODES.continuation, 'x'.repeat(8_192), { final: false });
    const first = rawFrame(OPCODES.text, '', { final: false });
    expect((await closeAfter(first, ...Array.from({ length: 9 }, () => piece))).code).toBe(1009);
    const empty = rawFrame(OPCODES.continuation, '', { final: false });
    expect((await closeAfter(first, ...Array.from({ length: 5_000 }, () => empty))).code).toBe(1009);
  });

  it.each([
    ['an unmasked frame', [rawFrame(OPCODES.text, '{}', { masked: false })]],
    ['the first reserved bit', [rawFrame(OPCODES.text, '{}', { reserved: 4 })]],
    ['the second reserved bit', [rawFrame(OPCODES.text, '{}', { reserved: 2 })]],
    ['the third reserved bit', [rawFrame(OPCODES.ping, '', { reserved: 1 })]],
    ['a reserved data opcode', [rawFrame(3, '{}')]],
    ['a reserved control opcode', [rawFrame(11, '')]],
    ['a fragmented ping', [rawFrame(OPCODES.ping, '', { final: false })]],
    ['a ping of 126 bytes', [rawFrame(OPCODES.ping, 'x'.repeat(126))]],
    ['a continuation of nothing', [rawFrame(OPCODES.continuation, '{}')]],
    ['a new message inside another', [rawFrame(OPCODES.text, '{', { final: false }), rawFrame(OPCODES.text, '}')]],
    ['a close of one byte', [rawFrame(OPCODES.close, 'x')]],
    ['a close with a code that does not exist', [rawClose(999)]],
    ['a close with a code that may not be sent', [rawClose(1006)]],
    ['a close with an unassigned code', [rawClose(2_999)]],
  ])('[T-23] %s: 1002', async (_, frames) => {
    expect(await closeAfter(...frames)).toEqual({ code: 1002, reason: 'Protocol error' });
  });

  it('[T-23] a close whose reason is not UTF-8: 1007', async () => {
    expect((await closeAfter(rawFrame(OPCODES.close, Buffer.from([0x03, 0xe8, 0xff])))).code).toBe(1007);
  });

  it('[T-24] a close is answered with the same code, and frames before it are still handled', async () => {
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const ping = rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: 'last', timestamp: 1, payload: {} }));
    raw.send(ping);
    expect((await raw.readFrame()).payload.toString()).toContain('"correlation_id":"last"');
    raw.send(rawClose(1000, 'bye'));
    expect(await raw.readClose()).toEqual({ code: 1000, reason: 'bye' });
    await raw.ended();
  });

  it('[T-25] a peer that does not answer a close is cut off', async () => {
    const clock = new ManualClock();
    const own = await startTransport({ clock });
    const raw = await RawSocket.upgrade(own.port);
    raw.send(rawFrame(OPCODES.binary, 'x'));
    expect((await raw.readClose()).code).toBe(1003);
    clock.advance(5_000);
    await raw.ended();
    await own.close();
  });

  it('[T-26] a peer that vanishes, mid-frame or not, leaves nothing behind', async () => {
    const connections = gateway.app.get(ConnectionManagerService);
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    raw.send(rawFrame(OPCODES.text, '{"type":').subarray(0, 5));
    raw.socket.resetAndDestroy();
    await expect.poll(() => connections.count).toBe(0);
  });
});
