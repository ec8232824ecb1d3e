import { expect, it } from 'vitest';
import { LOCAL_OPERATOR } from '../identity/principal.js';
import type { Connection } from './connection.js';
import type { ConnectionManagerService } from './connection-manager.service.js';
import { ChannelStatusService, MAX_CHANNELS } from './channel-status.service.js';

it('[N-07] a connection reports a limited number of channels, goes on updating those, until it is removed', () => {
  const removals: ((connection: Connection) => void)[] = [];
  const channels = new ChannelStatusService({
    onRemove: (listener: (connection: Connection) => void) => removals.push(listener),
  } as unknown as ConnectionManagerService);
  const connection = { id: 'c', principal: LOCAL_OPERATOR } as Connection;
  const report = (n: number) => channels.update(connection, { channel: `channel-${n}`, status: 'connected' });
  for (let n = 0; n < MAX_CHANNELS; n++) report(n);
  expect(() => report(MAX_CHANNELS)).toThrow('256 channels');
  report(0);
  expect(channels.list()).toHaveLength(MAX_CHANNELS);
  for (const remove of removals) remove(connection);
  expect(channels.list()).toEqual([]);
});
