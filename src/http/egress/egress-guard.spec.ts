import { describe, expect, it } from 'vitest';
import { EgressDeniedError, EgressGuard, isPublicAddress, type HostAddress } from './egress-guard.js';

const resolveTo =
  (...addresses: string[]) =>
  async (): Promise<HostAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('an address of the public internet', () => {
  it.each([
    '1.1.1.1',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.1.1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '100.100.100.200',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
    ],
    ...[
      '192.0.0.1',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.1',
      '198.18.0.1',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.1.1.1',
      '240.0.0.1',
    ],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:1.1.1.1',
      '::127.0.0.1',
      '64:ff9b::7f00:1',
      '64:ff9b:1::1',
    ],
    ...[
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'fc00::1',
      'fd00:ec2::254',
      'ff02::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
    ],
    ...['5f00::1', 'localhost', '', '1.1.1'],
  ])('is not %j', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('the egress guard', () => {
  const guard = new EgressGuard(() => [], resolveTo('93.184.216.34'));

  it('allows public hosts, pinned to the resolved addresses', async () => {
    const { url, addresses, lookup } = await guard.check('https://example.org/a?b');
    expect([url.href, addresses]).toEqual(['https://example.org/a?b', [{ address: '93.184.216.34', family: 4 }]]);
    const seen: unknown[] = [];
    lookup('elsewhere.org', { all: true }, (...answer) => seen.push(answer));
    lookup('elsewhere.org', {}, (...answer) => seen.push(answer));
    expect(seen).toEqual([
      [null, [{ address: '93.184.216.34', family: 4 }]],
      [null, '93.184.216.34', 4],
    ]);
  });

  it.each([
    ...[
      'http://127.0.0.1/',
      'http://localhost:1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://0177.0.0.1/',
      'http://127.1/',
      'http://０.0.0.0/',
    ],
    ...[
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
      'http://[64:ff9b::127.0.0.1]/',
      'http://169.254.169.254/latest/meta-data',
      'http://[fe80::1]/',
    ],
  ])('[O-20] denies %s', async (url) => {
    await expect(new EgressGuard(() => [], resolveTo('127.0.0.1')).check(url)).rejects.toThrow('is not a public host');
  });

  it('[O-20] denies a name that has one private address among public ones', async () => {
    await expect(
      new EgressGuard(() => [], resolveTo('93.184.216.34', '10.0.0.1')).check('http://both.test/'),
    ).rejects.toThrow(EgressDeniedError);
    await expect(
      new EgressGuard(() => [], resolveTo('93.184.216.34', 'fd00::1')).check('http://both.test/'),
    ).rejects.toThrow(EgressDeniedError);
  });

  it.each([
    'file:///etc/passwd',
    'ftp://example.org/',
    'gopher://example.org/',
    'data:text/plain,x',
    'javascript:0',
    'unix:/x',
  ])('[O-20] denies the scheme of %s', async (url) => {
    await expect(guard.check(url)).rejects.toThrow('is not allowed; http: and https: are');
  });

  it('[O-20] denies credentials in a URL, and anything that is not a URL', async () => {
    await expect(guard.check('https://user@example.org/')).rejects.toThrow('a user name or a password');
    await expect(guard.check('https://:secret@example.org/')).rejects.toThrow('a user name or a password');
    await expect(guard.check('example.org')).rejects.toThrow('this is not a URL');
  });

  it('reveals nothing about the name servers', async () => {
    const broken = new EgressGuard(
      () => [],
      () => Promise.reject(new Error('10.0.0.53 said no')),
    );
    await expect(broken.check('http://nowhere.test/')).rejects.toThrow(/^there is no host nowhere\.test$/);
    await expect(new EgressGuard(() => [], resolveTo()).check('http://nowhere.test/')).rejects.toThrow(
      'there is no host nowhere.test',
    );
  });

  it.each([
    ['http://127.0.0.1:8080/', ['127.0.0.1:8080'], true],
    ['http://127.0.0.1:8081/', ['127.0.0.1:8080'], false],
    ['http://127.0.0.1:8081/', ['127.0.0.1'], true],
    ['http://[::1]:8080/', ['[::1]:8080'], true],
    ['https://Intranet.Example.org./', ['INTRANET.example.org:443'], true],
    ['https://evil-intranet.example.org/', ['intranet.example.org'], false],
    ['https://intranet.example.org.evil.test/', ['intranet.example.org'], false],
  ])('[O-21] for %s the allow list %j decides %s', async (url, allowed, expected) => {
    const check = new EgressGuard(() => allowed, resolveTo('10.0.0.1')).check(url);
    expect(
      await check.then(
        () => true,
        (error: unknown) => !(error instanceof EgressDeniedError),
      ),
    ).toBe(expected);
  });

  it.each([
    '169.254.169.254',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::6464:64c8',
    '::ffff:a9fe:a9fe',
    '100.100.100.200',
  ])('[O-21] no setting opens %s', async (address) => {
    await expect(
      new EgressGuard(() => ['metadata.test'], resolveTo(address)).check('http://metadata.test/'),
    ).rejects.toThrow(EgressDeniedError);
  });
});
