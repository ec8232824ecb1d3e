import { Injectable } from '@nestjs/common';
import type { ChannelStatusPayload } from '../../protocol/index.js';
import type { Connection } from '../connections/connection.js';
import { ConnectedChannels } from './connected-channels.js';

/**
 * What channel drivers say of their platform connections. A driver's word counts as long as its own connection to the
 * gateway lives.
 */
@Injectable()
export class ChannelStatusService extends ConnectedChannels {
  /** By connection id, then by channel. */
  private readonly statuses = new Map<string, Map<string, ChannelStatusPayload>>();

  update(connection: Connection, status: ChannelStatusPayload): void {
    const own = this.statuses.get(connection.id) ?? new Map<string, ChannelStatusPayload>();
    this.statuses.set(connection.id, own.set(status.channel, status));
  }

  remove(connection: Connection): void {
    this.statuses.delete(connection.id);
  }

  override list(): readonly string[] {
    const all = [...this.statuses.values()].flatMap((own) => [...own.values()]);
    const connected = all.filter((status) => status.status === 'connected').map((status) => status.channel);
    return [...new Set(connected)].sort();
  }
}
