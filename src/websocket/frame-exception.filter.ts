import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { InboundEnvelope } from '../protocol/index.js';
import type { WebSocketConnection } from './websocket-connection.js';

/** Answers whatever a handler throws with an `error` frame; Nest's own filter would send the input back. */
@Catch()
export class FrameExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const ws = host.switchToWs();
    ws.getClient<WebSocketConnection>().refuse(error, ws.getData<InboundEnvelope>());
  }
}
