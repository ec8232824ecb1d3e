import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { checkChannel } from '../sessions/access.js';
import type { Connection } from './connection.js';
import { ConnectionManagerService } from './connection-manager.service.js';
import { ConnectedChannels } from './connected-channels.js';

/** Maximum number of channels that one connection reports. */
export const MAX_CHANNELS = 256;

/** The state of a driver's connection to its platform. */
export interface ChannelStatus {
  readonly channel: string;
  readonly status: 'connecting' | 'connected' | 'disconnected' | 'error';
  readonly detail?: string;
}

/**
 * Keeps the states that channel drivers report. A report is valid while the driver's connection to the gateway is open.
 */
@Injectable()
export class ChannelStatusService extends ConnectedChannels {
  /** By connection id, then by channel. */
  private readonly statuses = new Map<string, Map<string, ChannelStatus>>();

  constructor(connections: ConnectionManagerService) {
    super();
    connections.onRemove(({ id }) => this.statuses.delete(id));
  }

  /**
   * Records a report of the driver behind `connection`.
   * @throws GatewayError FORBIDDEN if its credential is bound to other channels; INVALID_PAYLOAD for one channel too many
   */
  update(connection: Connection, status: ChannelStatus): void {
    checkChannel(connection.principal, status.channel);
    const own = this.statuses.get(connection.id) ?? new Map<string, ChannelStatus>();
    if (own.size >= MAX_CHANNELS && !own.has(status.channel)) {
      const fault = { pointer: '/channel', message: `one connection may report ${MAX_CHANNELS} channels` };
      throw new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
    }
    this.statuses.set(connection.id, own.set(status.channel, status));
  }

  override list(): readonly string[] {
    const all = [...this.statuses.values()].flatMap((own) => [...own.values()]);
    const connected = all.filter((status) => status.status === 'connected').map((status) => status.channel);
    return [...new Set(connected)].sort();
  }
}
