import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeStorage } from '../../testing/fake-storage.js';
import { Outbox } from './outbox.js';
import { PageStorage } from './page-storage.js';

let changes: number;
let outbox: Outbox;
const message = (id: string) => ({ id, sender: 'web-a', content: 'hello' });
beforeEach(() => {
  vi.useFakeTimers();
  changes = 0;
  const storages = { local: new FakeStorage(), session: new FakeStorage() };
  outbox = new Outbox(new PageStorage(() => storages), () => changes++);
});
afterEach(() => void vi.useRealTimers());

describe('the outbox of a tab', () => {
  it('counts a message as late after three seconds, until it is stored', () => {
    outbox.add(message('a'), false);
    vi.advanceTimersByTime(2_999);
    expect([outbox.isLate('a'), changes]).toEqual([false, 0]);
    vi.advanceTimersByTime(1);
    expect([outbox.isLate('a'), changes]).toEqual([true, 1]);
    outbox.remove('a', true);
    expect([outbox.isLate('a'), outbox.messages]).toEqual([false, []]);
  });

  it('counts what was stored after an interruption, for some seconds, and nothing else', () => {
    outbox.add(message('before'), false);
    outbox.connected();
    outbox.add(message('during'), true);
    outbox.add(message('refused'), true);
    outbox.add(message('after'), false);
    for (const id of ['before', 'during', 'after']) outbox.remove(id, true);
    outbox.remove('refused', false);
    expect(outbox.caughtUp).toBe(2);
    vi.advanceTimersByTime(5_000);
    expect([outbox.caughtUp, changes]).toEqual([0, 1]);
  });
});
