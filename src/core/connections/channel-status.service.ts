import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
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
  /** By connection id. */
  private readonly reports = new Map<string, Report>();

  constructor(connections: ConnectionManagerService) {
    super();
    connections.onRemove(({ id }) => this.reports.delete(id));
  }

  /**
   * Records a report of the driver behind `connection`.
   * @throws GatewayError FORBIDDEN if its credential is bound to other channels; INVALID_PAYLOAD for one channel too many
   */
  update(connection: Connection, status: ChannelStatus): void {
    const { id, principal } = connection;
    checkChannel(principal, status.channel);
    const report = this.reports.get(id) ?? { tenant: principal.tenant, statuses: new Map<string, ChannelStatus>() };
    const own = report.statuses;
    if (own.size >= MAX_CHANNELS && !own.has(status.channel)) {
      const fault = { pointer: '/channel', message: `one connection may report ${MAX_CHANNELS} channels` };
      throw new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
    }
    own.set(status.channel, status);
    this.reports.set(id, report);
  }

  override list({ tenant, channels }: Pick<Principal, 'tenant' | 'channels'>): readonly string[] {
    const own = [...this.reports.values()].filter((report) => report.tenant === tenant);
    const connected = own
      .flatMap(({ statuses }) => [...statuses.values()])
      .filter(({ status, channel }) => status === 'connected' && channels?.includes(channel) !== false);
    return [...new Set(connected.map(({ channel }) => channel))].sort();
  }
}

/** The states that one connection has reported. */
interface Report {
  readonly tenant: string;
  /** By channel. */
  readonly statuses: Map<string, ChannelStatus>;
}
