import { expect, it } from 'vitest';
import { FakeTerminal } from '../testing/index.js';
import { readTarget } from './options.js';

it('the address of a gateway may have a path, for one behind a proxy', () => {
  const urlOf = (url: string) => readTarget('status', url, new FakeTerminal()).url;
  expect(urlOf('https://host/gateway/')).toBe('https://host/gateway');
  expect(urlOf('wss://host:8443/a/b')).toBe('https://host:8443/a/b');
  expect(urlOf('http://127.0.0.1:18789')).toBe('http://127.0.0.1:18789');
  expect(readTarget('status', undefined, new FakeTerminal({ OPENCLAW_URL: 'http://host/gw/' })).url).toBe(
    'http://host/gw',
  );
});

it('[X-45] the local token is for a gateway on this machine, and OPENCLAW_TOKEN takes precedence over it', () => {
  const tokenFor = (url: string, env: Record<string, string> = {}) => {
    const terminal = new FakeTerminal(env);
    terminal.localToken = 'the-local-token-0123456789';
    return readTarget('status', url, terminal).token;
  };
  for (const near of ['http://127.0.0.1:18789', 'http://localhost:1', 'ws://[::1]:18789'])
    expect(tokenFor(near)).toBe('the-local-token-0123456789');
  for (const far of ['https://host', 'http://10.0.0.1', 'http://127.0.0.1.example'])
    expect(tokenFor(far)).toBeUndefined();
  expect(tokenFor('http://127.0.0.1', { OPENCLAW_TOKEN: 'a-token-of-mine-0123456789' })).toBe(
    'a-token-of-mine-0123456789',
  );
});
