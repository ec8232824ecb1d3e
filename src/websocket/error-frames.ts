import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { errorTable, GatewayError, type ErrorCode, type InboundEnvelope } from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import { Logs, type Log } from '../core/telemetry/logs.js';

/** The envelope's fields that an answer repeats. */
export type AnsweredEnvelope = Pick<InboundEnvelope, 'id' | 'session_id'>;

/**
 * The one place where a failure becomes an `error` frame. Only a GatewayError speaks for itself; the cause of anything
 * else goes to the log, under an id that the client is told.
 */
@Injectable()
export class ErrorFrames {
  private readonly log: Log;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  /** The encoded `error` frame that answers `envelope`. */
  encode(error: unknown, envelope?: AnsweredEnvelope): string {
    return this.encodeWithCode(error, envelope).frame;
  }

  /** As {@link encode}, with the code for those who count. */
  encodeWithCode(error: unknown, envelope?: AnsweredEnvelope): { readonly code: ErrorCode; readonly frame: string } {
    const failure = toGatewayError(error);
    const { level } = errorTable[failure.code];
    if (this.log.isEnabled(level)) {
      const fields = {
        code: failure.code,
        details: failure.details,
        frame_id: envelope?.id,
        session_id: envelope?.session_id,
      };
      this.log[level](
        failure.cause === undefined ? fields : { ...fields, error: failure.cause },
        'a frame was refused',
      );
    }
    const about = { correlationId: envelope?.id, sessionId: envelope?.session_id };
    return { code: failure.code, frame: encodeFrame('error', failure.toPayload(), about) };
  }
}

function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  // What Nest throws when a guard of a team's gateway class says no.
  if (error instanceof WsException)
    return new GatewayError('FORBIDDEN', { reason: 'a guard refused it' }, { cause: error });
  return new GatewayError('INTERNAL', { error_id: randomBytes(6).toString('hex') }, { cause: error });
}
