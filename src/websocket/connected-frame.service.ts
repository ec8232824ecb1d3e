import { Injectable } from '@nestjs/common';
import { PROTOCOL_VERSION, type ConnectedPayload } from '../protocol/index.js';
import { WEBCHAT } from '../protocol/constants.js';
import { encodeFrame } from '../protocol/encode.js';
import { AgentsService } from '../core/agents/agents.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { Connection } from '../core/connections/connection.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { Store } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { HOUR_MS } from '../core/time/clock.js';
import { VERSION } from '../core/lifecycle/version.js';

/** The channel of programs, whose sessions no client continues. */
const API = 'api';

/** Builds the first frame of every connection: the identity of the client, and the limits of the gateway. */
@Injectable()
export class ConnectedFrameService {
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly replica: ReplicaIdentity,
    private readonly router: SessionRouterService,
    private readonly store: Store,
    private readonly agents: AgentsService,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  async build(connection: Connection): Promise<string> {
    const { principal, clientId, id } = connection;
    const own = await this.findOwn(connection);
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
      ...own,
    };
    return encodeFrame('connected', payload);
  }

  /** Finds the agent that a client of a single user is bound to, and the session that it continues. */
  private async findOwn({ principal }: Connection): Promise<Pick<ConnectedPayload, 'agent' | 'session_id'>> {
    const { tenant, principal: name, sender, channels } = principal;
    const channel = channels?.includes(WEBCHAT) ? WEBCHAT : channels?.find((each) => each !== API);
    if (sender === undefined || channel === undefined) return {};
    const message = { channel, sender };
    const agent = this.agents.choose({ ...message, tenant, principal: name });
    try {
      const session = await this.router.findMain(tenant, message, agent);
      return { agent: agent.id, ...(session && { session_id: session.id }) };
    } catch (error) {
      // Optional: while the store is unavailable the client connects without it.
      this.log.warn({ error }, 'the latest session of a user could not be read');
      return { agent: agent.id };
    }
  }
}
