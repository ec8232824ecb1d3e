import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { parseNetworks } from './addresses.js';
import { readRequestFacts } from './request-facts.js';

const aRequest = (remoteAddress: string, headersDistinct: Record<string, string[]> = {}) =>
  ({ headersDistinct, socket: { remoteAddress, localPort: 18789 } }) as unknown as IncomingMessage;
const proxies = parseNetworks(['10.0.0.0/8']);
const clientOf = (peer: string, ...forwardedFor: string[]) =>
  readRequestFacts(aRequest(peer, forwardedFor.length > 0 ? { 'x-forwarded-for': forwardedFor } : {}), proxies)
    .clientAddress;

describe('the client address', () => {
  it('[X-09] is the peer, if the peer is not a trusted proxy, whatever its headers say', () => {
    expect(clientOf('203.0.113.9')).toBe('203.0.113.9');
    expect(clientOf('::ffff:203.0.113.9', '127.0.0.1')).toBe('203.0.113.9');
    expect(clientOf('127.0.0.1', '198.51.100.1')).toBe('127.0.0.1');
  });

  it('[X-09] comes from a trusted proxy: the first hop, from the nearest, that is not trusted', () => {
    expect(clientOf('10.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
    expect(clientOf('10.0.0.1', '127.0.0.1, 198.51.100.1, 10.0.0.2')).toBe('198.51.100.1');
    expect(clientOf('10.0.0.1', '127.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
    expect(clientOf('10.0.0.1', '2001:db8::1')).toBe('2001:db8::1');
  });

  it('[X-09] is read with a port, in brackets and in quotes, as some proxies write it', () => {
    for (const hop of ['198.51.100.1:5678', '"198.51.100.1"', '"198.51.100.1:80"'])
      expect([hop, clientOf('10.0.0.1', hop)]).toEqual([hop, '198.51.100.1']);
    for (const hop of ['[2001:db8::1]', '[2001:db8::1]:443', '"[2001:db8::1]:443"'])
      expect([hop, clientOf('10.0.0.1', hop)]).toEqual([hop, '2001:db8::1']);
  });

  it('is the proxy itself if its header is missing or malformed', () => {
    expect(clientOf('10.0.0.1')).toBe('10.0.0.1');
    for (const nonsense of ['', 'unknown', '1.2.3.4:x', '127.0.0.1, ', 'localhost'])
      expect(clientOf('10.0.0.1', nonsense)).toBe('10.0.0.1');
  });
});

describe('the facts of a request', () => {
  it.each([
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-real-ip',
    'tailscale-user-login',
  ])('a header %s makes it forwarded', (name) =>
    expect(readRequestFacts(aRequest('127.0.0.1', { [name]: [''] }), proxies).isForwarded).toBe(true),
  );

  it('other headers do not', () => {
    const headers = { host: ['a', 'b'], origin: ['x', 'y'], 'x-real-ipv6': ['1'], 'x-forwarder': ['1'] };
    expect(readRequestFacts(aRequest('127.0.0.1', headers), proxies)).toMatchObject({
      isForwarded: false,
      hosts: ['a', 'b'],
      origin: 'x, y',
      localPort: 18789,
    });
  });
});
