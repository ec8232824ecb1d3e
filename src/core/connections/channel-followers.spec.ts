import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { GatewayError } from '../../protocol/domain.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import { ROLE_SCOPES, type Principal } from '../identity/principal.js';
import type { FollowedPosition, FrameStore, SessionStore } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import type { Connection } from './connection.js';
import { ChannelFollowersService } from './channel-followers.service.js';
import type { ConnectionManagerService } from './connection-manager.service.js';

it('[S-15] a driver reads on when the store is back, and nothing once it has gone', async () => {
  const clock = new ManualClock();
  const listeners: { register?: (connection: Connection) => void; remove?: (connection: Connection) => void } = {};
  let onWrite: (sessionId: string) => void = () => {};
  let isDown = true;
  const subscribed: (() => Promise<FollowedPosition>)[] = [];
  const answer = async <T>(value: T) => {
    if (isDown) throw new GatewayError('STORE_UNAVAILABLE', {});
    return value;
  };
  const start = () =>
    new ChannelFollowersService(
      {
        onWrite: (listener: typeof onWrite) => void (onWrite = listener),
        subscribeFrom: (_reader: unknown, _session: string, find: () => Promise<FollowedPosition>) =>
          void subscribed.push(find),
      } as unknown as DeliveryService,
      {
        noteFollower: () => answer(undefined),
        findPosition: () => answer({ seq: 3, headSeq: 5 }),
      } as unknown as FrameStore,
      { findSession: () => answer({ tenant: 'default', channel: 'test' }) } as unknown as SessionStore,
      clock,
      {
        onRegister: (listener: (connection: Connection) => void) => void (listeners.register = listener),
        onRemove: (listener: (connection: Connection) => void) => void (listeners.remove = listener),
      } as unknown as ConnectionManagerService,
      new SilentLogs(),
    );
  start();
  const principal = { tenant: 'default', principal: 'driver', role: 'channel', channels: ['test'] } as const;
  const connection = {
    principal: { ...principal, scopes: new Set(ROLE_SCOPES.channel) } as unknown as Principal,
    clientId: 'd1',
  } as Connection;
  listeners.register?.(connection);
  onWrite('s_ann');
  onWrite('s_ann');
  await clock.advanceAsync(1_000);
  expect(subscribed).toHaveLength(0);
  isDown = false;
  await clock.advanceAsync(1_000);
  expect(subscribed).toHaveLength(1);
  await clock.advanceAsync(1_000);
  expect(await subscribed[0]?.()).toEqual({ seq: 3, headSeq: 5 });
  listeners.remove?.(connection);
  onWrite('s_ann');
  expect(subscribed).toHaveLength(1);
});
