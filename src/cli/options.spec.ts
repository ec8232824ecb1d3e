import { expect, it } from 'vitest';
import { readTarget } from './options.js';

it('the address of a gateway may have a path, for one behind a proxy', () => {
  const urlOf = (url: string) => readTarget('status', url, {}).url;
  expect(urlOf('https://host/gateway/')).toBe('https://host/gateway');
  expect(urlOf('wss://host:8443/a/b')).toBe('https://host:8443/a/b');
  expect(urlOf('http://127.0.0.1:18789')).toBe('http://127.0.0.1:18789');
  expect(readTarget('status', undefined, { OPENCLAW_URL: 'http://host/gw/' }).url).toBe('http://host/gw');
});
