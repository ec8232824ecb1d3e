import { expect, it } from 'vitest';
import { nameAuthor } from './author.js';

const conversation = { sender: 'web-a' };
const message = { sender: 'web-a', senderName: undefined, principal: undefined };

it.each([
  ['the person of the page, while it is not stored', { sender: '' }, undefined],
  ['the person of the page', { principal: 'alice' }, undefined],
  ['another person who speaks as the same sender', { principal: 'bob' }, 'bob'],
  ['another person who has a name', { principal: 'bob', senderName: 'Bob B.' }, 'Bob B.'],
  ['another sender', { sender: 'web-b', principal: 'alice' }, 'web-b'],
  ['another sender who has a name', { sender: 'web-b', senderName: 'Bea' }, 'Bea'],
])('names as the author of a message %s', (_who, changes, name) => {
  expect(nameAuthor({ ...message, ...changes }, conversation, 'alice')).toBe(name);
});
