import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox.js';

/** A socket that counts its writes; the test completes them. */
class FakeSocket extends Duplex {
  readonly writes: Buffer[][] = [];
  private readonly pending: (() => void)[] = [];

  override _read(): void {}
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.writes.push([chunk]);
    this.pending.push(done);
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk));
    this.pending.push(done);
  }
  completeWrite(): void {
    this.pending.shift()?.();
  }
  get written(): Buffer {
    return Buffer.concat(this.writes.flat());
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  it('passes everything sent in one tick on in one write, in order, bytes and texts alike', async () => {
    const socket = new FakeSocket();
    const outbox = new Outbox(socket, { onTaken: () => {} });
    outbox.add('a');
    await Promise.resolve();
    outbox.add(Buffer.from('ready-made'));
    outbox.add('é');
    expect(socket.writes).toEqual([]);
    expect(outbox.bufferedBytes).toBe(3 + 10 + 4);
    await turn();
    expect(socket.writes).toHaveLength(1);
    expect(socket.written.toString('latin1')).toBe('\x81\x01aready-made\x81\x02\xc3\xa9');
  });

  it('passes encoded bytes on without a copy', async () => {
    const socket = new FakeSocket();
    const bytes = Buffer.from('shared by many');
    new Outbox(socket, { onTaken: () => {} }).add(bytes);
    await turn();
    expect(socket.writes[0]![0]).toBe(bytes);
  });

  it('passes large amounts on piece by piece, still in one write and in order', async () => {
    const socket = new FakeSocket();
    const outbox = new Outbox(socket, { onTaken: () => {} });
    outbox.add(Buffer.alloc(50_000, 'x'));
    outbox.add('between');
    outbox.add(Buffer.alloc(50_000, 'y'));
    await turn();
    expect(socket.writes).toHaveLength(1);
    expect(socket.written.subarray(50_000, 50_009).toString('latin1')).toBe('\x81\x07between');
    expect(socket.written).toHaveLength(100_009);
  });

  it('can be flushed before the end of the tick, and is then empty', async () => {
    const socket = new FakeSocket();
    const outbox = new Outbox(socket, { onTaken: () => {} });
    outbox.add('a');
    outbox.flush();
    expect(socket.writes).toHaveLength(1);
    await turn();
    expect(socket.writes).toHaveLength(1);
  });

  it('reports unread and read bytes of the peer, and calls back once it has read a large amount', async () => {
    const socket = new FakeSocket();
    let calls = 0;
    const outbox = new Outbox(socket, { onTaken: () => calls++ });
    outbox.add('a');
    await turn();
    expect([outbox.bufferedBytes, outbox.takenBytes]).toEqual([3, 0]);
    socket.completeWrite();
    await turn();
    expect([outbox.bufferedBytes, outbox.takenBytes, calls]).toEqual([0, 3, 0]);
    outbox.add('x'.repeat(100_000));
    await turn();
    expect([outbox.bufferedBytes, calls]).toEqual([100_010, 0]);
    socket.completeWrite();
    await turn();
    expect([outbox.bufferedBytes, outbox.takenBytes, calls]).toEqual([0, 100_013, 1]);
  });

  it('[N-14] keeps small frames that wait for a slow peer in buffers of their own size', async () => {
    const socket = new FakeSocket();
    const outbox = new Outbox(socket, { onTaken: () => {} });
    for (let n = 0; n < 3; n++) {
      outbox.add('waits');
      await turn();
    }
    socket.completeWrite();
    await turn();
    expect(socket.writes.flat().map((bytes) => bytes.buffer.byteLength === bytes.length)).toEqual([false, true, true]);
  });

  it('drops data when the socket is gone', async () => {
    const socket = new FakeSocket();
    const outbox = new Outbox(socket, { onTaken: () => {} });
    outbox.add('a');
    socket.destroy();
    await turn();
    expect(socket.writes).toEqual([]);
    expect(outbox.bufferedBytes).toBe(0);
  });
});
