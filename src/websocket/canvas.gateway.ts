import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { CanvasService } from '../core/canvas/canvas.service.js';
import type {
  CanvasOpenPayload,
  CanvasProblemPayload,
  CanvasStatePayload,
  InboundEnvelope,
} from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import type { WebSocketConnection } from './websocket-connection.js';

/** Handles the frames of clients that show surfaces. */
@WebSocketGateway(18789)
export class CanvasGateway {
  constructor(private readonly canvas: CanvasService) {}

  @SubscribeMessage('canvas_state')
  async noteEntered({ principal }: WebSocketConnection, { session_id, payload }: InboundEnvelope): Promise<void> {
    await this.canvas.noteEntered(principal, session_id, payload as CanvasStatePayload);
  }

  @SubscribeMessage('canvas_problem')
  async noteProblem({ principal }: WebSocketConnection, { session_id, payload }: InboundEnvelope): Promise<void> {
    await this.canvas.noteProblem(principal, session_id, payload as CanvasProblemPayload);
  }

  @SubscribeMessage('canvas_open')
  async open(connection: WebSocketConnection, { id, session_id, payload }: InboundEnvelope): Promise<void> {
    const { surface_id } = payload as CanvasOpenPayload;
    const { surfaceId, version, url, expiresAt } = await this.canvas.open(connection.principal, session_id, surface_id);
    const address = { surface_id: surfaceId, version, url, expires_at: expiresAt };
    connection.sendFrame(
      encodeFrame('canvas_address', address, {
        correlationId: id,
        ...(session_id !== undefined && { sessionId: session_id }),
      }),
    );
  }
}
