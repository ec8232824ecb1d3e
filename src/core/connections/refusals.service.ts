import { Injectable } from '@nestjs/common';
import { errorTable, GatewayError, type ErrorCode } from '../../protocol/domain.js';
import { Logs, type Log } from '../telemetry/logs.js';
import type { Connection } from './connection.js';

/** The parts of a request that its refusal repeats. */
export interface RefusedRequest {
  readonly id: string;
  readonly sessionId?: string | undefined;
}

/**
 * The one place where a failure of a request becomes an event. Only a GatewayError speaks for itself; the cause of
 * anything else goes to the log, under an id that the client gets.
 */
@Injectable()
export class RefusalsService {
  private readonly log: Log;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  /** Tells `connection` that `request` is refused because of `error`, and logs it. Returns the code of the refusal. */
  refuse(connection: Pick<Connection, 'tell'>, error: unknown, request?: RefusedRequest): ErrorCode {
    const failure = GatewayError.from(error);
    const { code, details, cause } = failure;
    const { level } = errorTable[code];
    if (this.log.isEnabled(level)) {
      const fields = { code, details, frame_id: request?.id, session_id: request?.sessionId };
      this.log[level](cause === undefined ? fields : { ...fields, error: cause }, 'a frame was refused');
    }
    connection.tell({ kind: 'refused', requestId: request?.id, sessionId: request?.sessionId, error: failure });
    return code;
  }
}
