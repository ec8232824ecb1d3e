import { Injectable } from '@nestjs/common';
import { errorTable, GatewayError, type ErrorCode } from '../../protocol/domain.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { countEach, Metrics, type Counter } from '../telemetry/metrics.js';
import type { Principal } from '../identity/principal.js';
import type { Connection } from './connection.js';

/** The parts of a request that its refusal repeats. */
export interface RefusedRequest {
  readonly id: string;
  readonly sessionId?: string | undefined;
}

/** Where a refusal goes, and who is there; undefined before it is known. */
export type Refused = Pick<Connection, 'send'> & { readonly principal?: Principal | undefined };

/**
 * Turns the failure of a request into a `refused` event. A GatewayError is sent as it is. Any other error is hidden: it is
 * logged under an id that the client gets.
 */
@Injectable()
export class RefusalsService {
  private readonly log: Log;
  private readonly counted: Readonly<Record<ErrorCode, Counter>>;

  constructor(metrics: Metrics, logs: Logs) {
    this.log = logs.for('gateway');
    this.counted = countEach(metrics, {
      name: 'openclaw_refusals_total',
      help: 'Requests of connections that were refused, by error code.',
      label: 'code',
      values: Object.keys(errorTable) as ErrorCode[],
    });
  }

  /** Sends `refused` with `error` to `connection` and logs it. Returns the error code. */
  refuse(connection: Refused, error: unknown, request?: RefusedRequest): ErrorCode {
    const failure = GatewayError.from(error);
    const { code, details, cause } = failure;
    const { level } = errorTable[code];
    this.counted[code].add();
    if (this.log.isEnabled(level)) {
      const { tenant, principal } = connection.principal ?? {};
      const fields = { code, details, tenant, principal, frame_id: request?.id, session_id: request?.sessionId };
      this.log[level](cause === undefined ? fields : { ...fields, error: cause }, 'a frame was refused');
    }
    connection.send({ kind: 'refused', requestId: request?.id, sessionId: request?.sessionId, error: failure });
    return code;
  }
}
