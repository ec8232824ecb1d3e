import { expect, it } from 'vitest';
import type { Update } from '../../core/channels/driver.js';
import { Pastes } from './pastes.js';

/** A piece of a text that a client has cut. */
const aPiece = (n: number, length: number, sentAt = n): Update => ({
  id: `telegram:1:5001:${n}`,
  sender: '5001',
  place: { chat: '5001' },
  sentAt,
  raw: { kind: 'message', message: { text: 'a'.repeat(length) } },
});

it('the pieces of a cut text are one message, with what comes next', () => {
  const pastes = new Pastes();
  const pieces = [aPiece(1, 4_096), aPiece(2, 4_096), aPiece(3, 20)].map((piece) => pastes.join(piece));
  expect(pieces.map(({ join }) => join?.key)).toEqual(Array(3).fill('paste:telegram:1:5001:1'));
  expect(pastes.join(aPiece(4, 20)).join).toBeUndefined();
});

it('a piece that comes late belongs to none before', () => {
  const pastes = new Pastes();
  pastes.join(aPiece(1, 4_096, 0));
  expect(pastes.join(aPiece(2, 20, 3_000)).join).toBeUndefined();
});

it('pieces are joined up to 65,000 units; the next one begins another message', () => {
  const pastes = new Pastes();
  const pieces = Array.from({ length: 20 }, (_, n) => pastes.join(aPiece(n, 4_096)));
  const byKey = Map.groupBy(pieces, ({ join }) => join?.key);
  expect([...byKey.keys()]).toEqual(['paste:telegram:1:5001:0', 'paste:telegram:1:5001:15']);
  expect([...byKey.values()].map((all) => all.length * 4_096)).toEqual([61_440, 20_480]);
});
