import { expect, it } from 'vitest';
import { hideInFailure } from './failure-text.js';

const SECRETS = ['4711:a-token-of-the-settings', 'app-secret-42'];

it.each([
  ['a token of the settings', 'GET https://chat.test/4711:a-token-of-the-settings/send failed'],
  ['one in an address', 'GET https://chat.test/4711%3Aa-token-of-the-settings/send failed'],
  ['a second secret', 'app-secret-42 is not known'],
  [
    'an address of a bot that has no settings here',
    'https://api.telegram.org/bot123456:a-token-of-the-settings/sendMessage',
  ],
  ['a header', 'refused: Authorization: Bearer a-token-of-the-settings'],
])('the text of a failure does not have %s', (_, text) => {
  const shown = hideInFailure(text, SECRETS);
  expect(shown).not.toMatch(/a-token-of-the-settings|app-secret-42/);
  expect(shown).toContain('***');
});

it('a text without secrets stays as it is', () => {
  const text = 'Forbidden: the bot was blocked by the user (403)';
  expect(hideInFailure(text, SECRETS)).toBe(text);
});
