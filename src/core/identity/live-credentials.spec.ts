import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/index.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { SilentLogs } from '../telemetry/logs.js';
import { LiveCredentialsService } from './live-credentials.service.js';
import { LOCAL_OPERATOR, type Principal } from './principal.js';

function setUp() {
  const clock = new ManualClock();
  const broker = new InProcessBroker(clock, new SilentLogs());
  const live = new LiveCredentialsService(clock, broker);
  const other = new LiveCredentialsService(clock, new InProcessBroker(clock, new SilentLogs(), broker));
  const ended: string[] = [];
  const use = (name: string, principal: Partial<Principal>, at = live) =>
    at.watch({ ...LOCAL_OPERATOR, ...principal }, () => ended.push(name));
  return { clock, live, other, ended, use };
}

describe('what lasts as long as a credential', () => {
  it('[I-09] ends when the credential expires, however late that is, and at once if it has expired', () => {
    const { clock, ended, use } = setUp();
    const now = clock.now();
    use('past', { expiresAt: now });
    use('soon', { expiresAt: now + 10_000 });
    use('late', { expiresAt: now + 3_000_000_000 });
    expect(ended).toEqual(['past']);
    clock.advance(10_000);
    expect(ended).toEqual(['past', 'soon']);
    clock.advance(3_000_000_000 - 10_001);
    expect(ended).toHaveLength(2);
    clock.advance(1);
    expect(ended).toEqual(['past', 'soon', 'late']);
  });

  it('[N-01] ends when the credential ended while the machine slept, and not early when the clock was set back', () => {
    const { clock, ended, use } = setUp();
    use('c', { expiresAt: clock.now() + 60_000 });
    clock.setWallTime(-30_000);
    clock.advance(60_000);
    expect(ended).toEqual([]);
    clock.setWallTime(86_400_000);
    clock.advance(10_000);
    expect(ended).toEqual(['c']);
  });

  it('[I-10] ends when the credential is revoked, on each replica, and no other', async () => {
    const { live, other, ended, use } = setUp();
    use('a', { credentialId: 'token:1' });
    use('b', { credentialId: 'token:1' }, other);
    use('c', { credentialId: 'token:2' });
    use('d', {});
    live.end('token:1');
    await Promise.resolve();
    expect(ended.toSorted()).toEqual(['a', 'b']);
  });

  it('[I-11] ends when a newer form of the credential has fewer rights, and not for one with the same or an older one', async () => {
    const { live, other, ended, use } = setUp();
    const credentialId = 'jwt:ada';
    const issued = (issuedAt: number, changes: Partial<Principal> = {}) => ({
      ...LOCAL_OPERATOR,
      ...{ credentialId, issuedAt },
      ...changes,
    });
    use('admin', issued(1));
    use('elsewhere', issued(1), other);
    use('reader', issued(1, { scopes: new Set(['admin:read']) }));
    use('newest', issued(9));
    live.limit(issued(2));
    live.limit(issued(1, { scopes: new Set() }));
    await Promise.resolve();
    expect(ended).toEqual([]);
    live.limit(issued(3, { scopes: new Set(['admin:read']) }));
    await Promise.resolve();
    expect(ended.toSorted()).toEqual(['admin', 'elsewhere']);
    live.limit(issued(4, { role: 'user', scopes: new Set(['messages:write']), channels: ['webchat'] }));
    expect(ended).toContain('reader');
    expect(ended).not.toContain('newest');
  });

  it('[I-15] ends later when the credential was renewed, or at once if the rights are fewer', () => {
    const { clock, live, ended, use } = setUp();
    const form = (issuedAt: number, inMs: number) => ({
      ...LOCAL_OPERATOR,
      ...{ credentialId: 'session:1', issuedAt, expiresAt: clock.now() + inMs },
    });
    use('a', form(1, 10_000));
    live.renew(form(2, 20_000));
    clock.advance(10_000);
    expect(ended).toEqual([]);
    clock.advance(10_000);
    expect(ended).toEqual(['a']);
    use('b', form(3, 10_000));
    live.renew({ ...form(4, 20_000), scopes: new Set(['admin:read']) });
    expect(ended).toContain('b');
  });

  it('leaves nothing behind when it ends by itself', () => {
    const { clock, live, ended, use } = setUp();
    const release = use('a', { credentialId: 'token:1', expiresAt: clock.now() + 1_000 });
    expect(use('b', {})).toBeUndefined();
    release?.();
    live.end('token:1');
    clock.advance(2_000);
    expect([ended, clock.pendingTimers]).toEqual([[], 0]);
  });
});
