import { describe, expect, it } from 'vitest';
import { createSecretHider, toOneLine } from './secrets.js';

const KEY = 'sk-proj-4fG9hJ2kL7mN1pQ8rS3t';
const hide = createSecretHider([
  KEY,
  'Bearer abc-123-def-456-ghi',
  'production-eu-1',
  '/home/user/projects/2024',
  'mine-api-key-000001',
]);

describe('foreign text', () => {
  it.each([
    [`Incorrect API key provided: ${KEY}.`, 'Incorrect API key provided: ***.'],
    [`key ${KEY.slice(0, 12)}... is unknown`, 'key ***... is unknown'],
    [`ends with ${KEY.slice(-9)}`, 'ends with ***'],
    [`${KEY.slice(5, 15)}|${KEY.slice(8, 16)}`, '***|***'],
    ['sent abc-123-def-456-ghi', 'sent ***'],
    ['sent abc-123-def', 'sent ***'],
    ['abc-123', 'abc-123'],
    ['in production and /home/user', 'in production and /home/user'],
    ['in production-eu-1', 'in ***'],
    ['', ''],
    [
      'a key with a name in it, of the header x-api-key: none',
      'a key with a name in it, of the header x-api-key: none',
    ],
  ])('[X-13] has no secret and no piece of a key: %s', (text, expected) => {
    expect(hide(text)).toBe(expected);
  });

  it.each([
    ['base64', (text: string) => Buffer.from(text).toString('base64')],
    ['base64 for addresses', (text: string) => Buffer.from(text).toString('base64url')],
    ['JSON', (text: string) => JSON.stringify(text)],
    ['an address', encodeURIComponent],
    [
      'an address, in small letters',
      (text: string) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
    ],
    ['a form', (text: string) => new URLSearchParams({ text }).toString()],
  ])('[X-13] has no key in %s, whatever is around it', (_form, encode) => {
    const key = 'k/"y\\+=ä?>~7 1234567890';
    const hideKey = createSecretHider([key]);
    for (const around of ['', 'u', 'user', 'admin:']) {
      const encoded = encode(`${around}${key}${around}`);
      const hidden = hideKey(encoded);
      expect(hidden).toContain('***');
      expect(hidden.length).toBeLessThan(encoded.length - key.length + 8);
    }
  });

  it('is one line of bounded length', () => {
    expect(toOneLine(' no\r\n\u001b[31m\tway\u2028out ', 100)).toBe('no [31m way out');
    expect(toOneLine('x'.repeat(90_000), 500)).toHaveLength(500);
  });
});
