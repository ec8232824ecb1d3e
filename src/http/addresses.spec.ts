import { describe, expect, it } from 'vitest';
import { loadSettings } from '../settings.js';
import { includes, isLoopbackAddress, isLoopbackHost, limitKey, normaliseAddress, parseNetworks } from './addresses.js';

describe('addresses', () => {
  it.each([
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:10.1.2.3', '10.1.2.3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:999.1.1.1', '::ffff:999.1.1.1'],
  ])('%s is %s', (raw, plain) => expect(normaliseAddress(raw)).toBe(plain));

  it.each(['127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1'])('%s is loopback', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
    expect(isLoopbackHost(address)).toBe(true);
  });

  it.each([
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.0.0.1.example',
    '127.1',
    '0177.0.0.1',
    '2130706433',
    'localhost.',
    'localhost.example',
    'LOCALHOST',
    '::2',
  ])('%j is not', (host) => {
    expect(isLoopbackAddress(host)).toBe(false);
    expect(isLoopbackHost(host)).toBe(false);
  });

  it('reads addresses and ranges of both families', () => {
    const networks = parseNetworks(['10.0.0.0/8', '192.168.1.7', 'fd00::/8', '::1']);
    for (const address of ['10.255.0.1', '192.168.1.7', 'fd12::1', '::1'])
      expect(includes(networks, address)).toBe(true);
    for (const address of ['11.0.0.1', '192.168.1.8', 'fe80::1', '::2', '', 'nonsense'])
      expect(includes(networks, address)).toBe(false);
  });

  it('lists every entry that is not a network', () => {
    const wrong = [
      '10.0.0.0/33',
      '10.0.0/8',
      'proxy.example',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      'fd00::/129',
      '10.0.0.0/-1',
      '10.0.0.0/1e1',
    ];
    const expected = wrong.map((_, i) => `gateway.trusted_proxies[${i}]`);
    try {
      loadSettings({}, { 'gateway.trusted_proxies': wrong }, '/nonexistent');
      expect.unreachable();
    } catch (error) {
      expect((error as { faults: { key: string }[] }).faults.map((fault) => fault.key)).toEqual(expected);
    }
  });

  it('counts all addresses of one IPv6 network as one, and IPv4 addresses separately', () => {
    expect(limitKey('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
    expect(limitKey('2001:0db8:1:2:ffff:ffff:ffff:ffff')).toBe('2001:db8:1:2::/64');
    expect(limitKey('2001:db8:1:3::1')).not.toBe(limitKey('2001:db8:1:2::1'));
    expect(limitKey('::1')).toBe('0:0:0:0::/64');
    expect(limitKey('fd00::')).toBe('fd00:0:0:0::/64');
    expect(limitKey('10.0.0.1')).toBe('10.0.0.1');
  });
});
