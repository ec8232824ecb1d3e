import { expect, it } from 'vitest';
import { complete, type Circumstances } from './circumstances.js';
import type { Reading, ReadMessage, Update } from '../driver.js';

const UPDATE: Update = { id: 'pigeon:ops:1', sender: 'ann', place: { chat: 'ops' }, sentAt: 0, raw: {} };

const known = (isAdmitted = true) =>
  ({ bots: { admits: () => isAdmitted }, findWaiting: () => undefined }) as unknown as Circumstances;
const read = (message: ReadMessage): Reading => ({ kind: 'message', message });

it('a mention without words is a message with words that say so, also of a bot beyond its bounds', () => {
  const mention = read({ content: '', is_direct_mention: true });
  const message = { content: '[mentioned without words]', is_direct_mention: true };
  expect(complete(mention, UPDATE, known())).toEqual(read(message));
  expect(complete(mention, UPDATE, known(false))).toEqual(read({ ...message, observe: true }));
});

it.each([
  ['with words', { content: 'hello', is_direct_mention: true }],
  ['with a picture', { content: '', is_direct_mention: true, attachments: [{ kind: 'image', media_id: 'med_1' }] }],
  ['that mentions no agent', { content: '' }],
] as const)('a message %s stays the same object', (_, message) => {
  const reading = read(message as unknown as ReadMessage);
  expect(complete(reading, UPDATE, known())).toBe(reading);
});
