import { expect, it } from 'vitest';
import { MAX_KEPT_LENGTH, MAX_SLOTS, OpenMessages, type OpenMessage } from './open-messages.js';

let ord = 0;

/** Adds a message that the other thread keeps if it can. */
function add(open: OpenMessages, length = 1): OpenMessage {
  const counts = { epoch: 0, cancelRequested: false, attempt: 0, interruptions: 0 };
  const message: OpenMessage = { ord: ++ord, session: ord, client: 1, owner: 'ann', priority: 1, ...counts };
  open.add(message);
  open.keep(message, length);
  return message;
}

it('a slot holds one message until that is claimed or has ended, and is free again then', () => {
  const open = new OpenMessages(() => {});
  const messages = Array.from({ length: MAX_SLOTS }, () => add(open));
  expect(new Set(messages.map(({ slot }) => slot)).size).toBe(MAX_SLOTS);
  expect(add(open).slot).toBeUndefined();
  const [claimed, ended] = messages as [OpenMessage, OpenMessage];
  const slots = [claimed.slot, ended.slot];
  expect(open.takeSlot(claimed)).toBe(slots[0]);
  expect(add(open).slot).toBe(slots[0]);
  open.end(claimed);
  expect(add(open).slot).toBeUndefined();
  open.end(ended);
  expect(add(open).slot).toBe(slots[1]);
});

it('a long message has no slot', () => {
  const open = new OpenMessages(() => {});
  expect([add(open, MAX_KEPT_LENGTH).slot, add(open, MAX_KEPT_LENGTH + 1).slot]).toEqual([MAX_SLOTS - 1, undefined]);
});
