import { describe, expect, it } from 'vitest';
import { createMessage } from '../../client/transcript-message.js';
import { groupEarlier } from './earlier.js';

const message = (key: number, supersededBy?: string) =>
  createMessage(key, { id: `${key}`, phase: 'ended', sentAt: key, supersededBy });

describe('the messages of a thread', () => {
  it('fold together where later ones supersede them, and stand alone otherwise', () => {
    const items = groupEarlier([message(1), message(2, 'a'), message(3, 'b'), message(4), message(5, 'c')]);
    expect(items.map(({ isEarlier, messages }) => [isEarlier, messages.map(({ key }) => key)])).toEqual([
      [false, [1]],
      [true, [2, 3]],
      [false, [4]],
      [true, [5]],
    ]);
    expect(new Set(items.map(({ key }) => key)).size).toBe(4);
  });
});
