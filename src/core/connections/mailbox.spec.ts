import { describe, expect, it } from 'vitest';
import { MAX_BUFFERED_BYTES } from '../delivery/frame-reader.js';
import { Mailbox, type MailboxOwner } from './mailbox.js';

/** A mailbox of numbers that the test completes one by one. */
class FakeOwner implements MailboxOwner<number> {
  bufferedBytes = 0;
  maxBufferedBytes = MAX_BUFFERED_BYTES;
  readonly handled: number[] = [];
  readonly signals: string[] = [];
  isSlow = false;
  onHandle = () => {};
  private readonly gates: (() => void)[] = [];

  handle(item: number): void | Promise<void> {
    this.handled.push(item);
    this.onHandle();
    if (this.isSlow) return new Promise((resolve) => this.gates.push(resolve));
  }
  whenWritable(): Promise<void> {
    return new Promise((resolve) => this.gates.push(resolve));
  }
  sizeOf(item: number): number {
    return item > 1_000 ? item : 1;
  }
  onFull(): void {
    this.signals.push('full');
  }
  onRoom(): void {
    this.signals.push('room');
  }

  async letGo(): Promise<void> {
    this.gates.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe('Mailbox', () => {
  it('[N-14] handles no more requests while those under way hold too much, and goes on when half of it is free', async () => {
    const owner = new FakeOwner();
    owner.maxBufferedBytes = 20_000;
    const mailbox = new Mailbox(owner);
    const begun: number[] = [];
    owner.onHandle = () => begun.push(mailbox.begin());
    mailbox.start();
    for (let n = 0; n < 20; n++) mailbox.push(1_001);
    expect(begun).toEqual([6_052, 6_052, 6_052, 6_052]);
    expect(mailbox.heldBytes).toBe(4 * 6_052 + 16 * 1_001);
    for (const size of begun.slice(0, 2)) mailbox.end(size);
    await owner.letGo();
    expect(begun.length).toBe(4);
    mailbox.end(begun[2]!);
    await owner.letGo();
    expect(begun.length).toBe(7);
  });

  it('[N-14] pauses the peer at the allowance of its owner', async () => {
    const owner = new FakeOwner();
    owner.isSlow = true;
    owner.maxBufferedBytes = 10_000;
    const mailbox = new Mailbox(owner);
    mailbox.start();
    for (const size of [4_000, 4_000, 4_000]) mailbox.push(size);
    expect([owner.signals, mailbox.heldBytes]).toEqual([[], 8_000]);
    mailbox.push(4_000);
    expect(owner.signals).toEqual(['full']);
    for (let n = 0; n < 3; n++) await owner.letGo();
    expect(owner.signals).toEqual(['full', 'room']);
  });

  it('handles nothing before it is started, then everything in order', () => {
    const owner = new FakeOwner();
    const mailbox = new Mailbox(owner);
    for (const item of [1, 2]) mailbox.push(item);
    expect(owner.handled).toEqual([]);
    mailbox.start();
    expect(owner.handled).toEqual([1, 2]);
  });

  it('handles a request at once when none waits', () => {
    const owner = new FakeOwner();
    const mailbox = new Mailbox(owner);
    mailbox.start();
    mailbox.push(1);
    expect(owner.handled).toEqual([1]);
  });

  it('handles the next request when the previous one is done', async () => {
    const owner = new FakeOwner();
    owner.isSlow = true;
    const mailbox = new Mailbox(owner);
    mailbox.start();
    for (const item of [1, 2, 3]) mailbox.push(item);
    expect(owner.handled).toEqual([1]);
    await owner.letGo();
    expect(owner.handled).toEqual([1, 2]);
  });

  it('handles none while the peer does not read', async () => {
    const owner = new FakeOwner();
    const mailbox = new Mailbox(owner);
    mailbox.start();
    owner.bufferedBytes = MAX_BUFFERED_BYTES + 1;
    for (const item of [1, 2]) mailbox.push(item);
    expect(owner.handled).toEqual([1]);
    owner.bufferedBytes = 0;
    await owner.letGo();
    expect(owner.handled).toEqual([1, 2]);
  });

  it('reports when too many wait, and when there is room again', async () => {
    const owner = new FakeOwner();
    owner.isSlow = true;
    const mailbox = new Mailbox(owner);
    mailbox.start();
    for (const item of upTo(257)) mailbox.push(item);
    expect(owner.signals).toEqual([]);
    mailbox.push(258);
    expect(owner.signals).toEqual(['full']);
    owner.isSlow = false;
    await owner.letGo();
    expect(owner.signals).toEqual(['full', 'room']);
    expect(owner.handled).toEqual(upTo(258));
  });

  it('[N-03] reports that they are full by their bytes, however few wait', async () => {
    const owner = new FakeOwner();
    owner.isSlow = true;
    const mailbox = new Mailbox(owner);
    mailbox.start();
    for (const item of [250_001, 250_002, 250_003, 250_004, 250_005]) mailbox.push(item);
    expect(owner.signals).toEqual([]);
    mailbox.push(250_006);
    expect(owner.signals).toEqual(['full']);
    for (let handled = 0; handled < 4; handled++) await owner.letGo();
    expect(owner.signals).toEqual(['full', 'room']);
  });

  it('is idle when all requests have been handled', async () => {
    const owner = new FakeOwner();
    owner.isSlow = true;
    const mailbox = new Mailbox(owner);
    mailbox.start();
    mailbox.push(1);
    let isIdle = false;
    mailbox.whenIdle(() => (isIdle = true));
    expect(isIdle).toBe(false);
    await owner.letGo();
    expect(isIdle).toBe(true);
  });
});
