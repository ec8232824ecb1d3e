import { Injectable } from '@nestjs/common';
import { PROTOCOL_VERSION, type ConnectedPayload } from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { Connection } from '../core/connections/connection.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { SessionStore, Store } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { HOUR_MS } from '../core/time/clock.js';
import { VERSION } from '../core/lifecycle/version.js';

/** Builds the first frame of every connection: the identity of the client, and the limits of the gateway. */
@Injectable()
export class ConnectedFrameService {
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly replica: ReplicaIdentity,
    private readonly sessions: SessionStore,
    private readonly store: Store,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  async build(connection: Connection): Promise<string> {
    const { principal, clientId, id } = connection;
    const sessionId = await this.findOwnSession(connection);
    const payload: ConnectedPayload = {
      client_id: clientId,
      connection_id: id,
      role: principal.role,
      scopes: [...principal.scopes],
      protocol: PROTOCOL_VERSION,
      server: { version: VERSION, replica_id: this.replica.id, epoch: this.store.logEpoch },
      limits: {
        max_frame_bytes: this.config.get('gateway.max_frame_bytes'),
        max_queued_per_session: this.config.get('queue.max_per_session'),
      },
      heartbeat_interval_ms: this.config.get('gateway.heartbeat_interval_ms'),
      resume_window_ms: this.config.get('store.retention_hours') * HOUR_MS,
      ...(sessionId === undefined ? {} : { session_id: sessionId }),
    };
    return encodeFrame('connected', payload);
  }

  /** Finds the session that a client of a single user continues. */
  private async findOwnSession({ principal }: Connection): Promise<string | undefined> {
    if (principal.sender === undefined || !principal.channels) return undefined;
    try {
      const session = await this.sessions.findLatestMain(principal.tenant, principal.channels, principal.sender);
      return session?.id;
    } catch (error) {
      // Optional: while the store is unavailable the client connects without it.
      this.log.warn({ error }, 'the latest session of a user could not be read');
      return undefined;
    }
  }
}
