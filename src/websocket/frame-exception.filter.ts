import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { GatewayError, type InboundEnvelope } from '../protocol/index.js';
import { toRequest, type DispatchedConnection } from './frame-dispatcher.js';

/** Sends an `error` frame for everything that a handler throws. Nest's own filter would echo the input. */
@Catch()
export class FrameExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    ws.getClient<DispatchedConnection>().refuse(fromNest(error), toRequest(ws.getData<InboundEnvelope>()));
  }
}

/** Translates the exception that Nest throws when a guard of a gateway class refuses a frame. */
export function fromNest(error: unknown): unknown {
  if (!(error instanceof WsException)) return error;
  return new GatewayError('FORBIDDEN', { reason: 'a guard refused it' }, { cause: error });
}
