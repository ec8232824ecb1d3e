import { expect, it } from 'vitest';
import { LOCAL_OPERATOR } from '../identity/principal.js';
import type { Connection } from './connection.js';
import type { ConnectionManagerService } from './connection-manager.service.js';
import { ChannelStatusService, MAX_CHANNELS } from './channel-status.service.js';

const removals: ((connection: Connection) => void)[] = [];

function makeChannels(): ChannelStatusService {
  const onRemove = (listener: (connection: Connection) => void) => removals.push(listener);
  return new ChannelStatusService({ onRemove } as unknown as ConnectionManagerService);
}

it('[N-07] a connection reports a limited number of channels, goes on updating those, until it is removed', () => {
  const channels = makeChannels();
  const connection = { id: 'c', principal: LOCAL_OPERATOR } as Connection;
  const report = (n: number) => channels.update(connection, { channel: `channel-${n}`, status: 'connected' });
  for (let n = 0; n < MAX_CHANNELS; n++) report(n);
  expect(() => report(MAX_CHANNELS)).toThrow('256 channels');
  report(0);
  expect(channels.list(LOCAL_OPERATOR)).toHaveLength(MAX_CHANNELS);
  for (const remove of removals) remove(connection);
  expect(channels.list(LOCAL_OPERATOR)).toEqual([]);
});

it('lists to a reader the channels of its tenant, and of those the ones that it is bound to', () => {
  const channels = makeChannels();
  const report = (id: string, tenant: string, channel: string) => {
    const connection = { id, principal: { ...LOCAL_OPERATOR, tenant } } as Connection;
    channels.update(connection, { channel, status: 'connected' });
  };
  report('1', 'acme', 'telegram');
  report('1', 'acme', 'email');
  report('2', 'globex', 'pager');

  expect(channels.list({ tenant: 'acme', channels: undefined })).toEqual(['email', 'telegram']);
  expect(channels.list({ tenant: 'acme', channels: ['telegram', 'pager'] })).toEqual(['telegram']);
  expect(channels.list({ tenant: 'globex', channels: undefined })).toEqual(['pager']);
});
