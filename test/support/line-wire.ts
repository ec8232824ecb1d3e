import { Injectable, Module } from '@nestjs/common';
import type { ConnectionEvent } from '../../src/core/connections/connection.js';
import { ConversationWriterService } from '../../src/core/connections/conversation-writer.service.js';
import { StartStep } from '../../src/core/lifecycle/steps.js';
import { closeTable, GatewayError, type StreamBlockPayload } from '../../src/protocol/index.js';
import { SocketConnection, type SocketLine } from '../../src/sockets/socket-connection.js';
import { SocketServer } from '../../src/sockets/socket-server.js';
import { SocketsModule } from '../../src/sockets/sockets.module.js';

/** A complete second wire: `{ id, say }` in; `{ ok }`, `{ no }`, `{ block }` and `{ end }` out. */
class LineConnection extends SocketConnection {
  constructor(
    line: SocketLine,
    private readonly writer: ConversationWriterService,
  ) {
    super(line);
  }

  protected override receive(text: string): void | Promise<void> {
    let id: string | undefined;
    try {
      const { say: content, ...request } = readRequest(text);
      id = request.id;
      this.noteValidFrame();
      const payload = { channel: 'lines', sender: this.principal.principal, content };
      return this.writer.submit(this, { id, payload })?.catch((error: unknown) => this.refuse(error, request));
    } catch (error) {
      this.refuse(error, id === undefined ? undefined : { id });
    }
  }

  protected override encode(event: ConnectionEvent): string | undefined {
    if (event.kind === 'accepted') return JSON.stringify({ ok: event.requestId });
    if (event.kind === 'refused') return JSON.stringify({ no: event.error.code, id: event.requestId });
    if (event.kind !== 'frames') return undefined;
    const lines = event.frames.map(({ type, messageId, payload }) =>
      type === 'stream_block'
        ? { block: (JSON.parse(payload) as StreamBlockPayload).content }
        : { [type === 'stream_end' ? 'end' : type]: messageId },
    );
    return lines.map((line) => JSON.stringify(line)).join('\n');
  }
}

function readRequest(text: string): { id: string; say: string } {
  try {
    return JSON.parse(text) as { id: string; say: string };
  } catch {
    throw new GatewayError('INVALID_FRAME', { reason: 'it is not JSON' });
  }
}

@Injectable()
class LineWire {
  constructor(
    private readonly sockets: SocketServer,
    private readonly writer: ConversationWriterService,
  ) {}

  @StartStep({ name: 'serve lines', phase: 'register' })
  serve(): void {
    this.sockets.serve({
      path: '/lines',
      subprotocol: undefined,
      maxFrameBytes: 1_024,
      closes: closeTable,
      readParameters: () => ({ clientId: 'lines', tenant: undefined, wantsDeltas: false, wantsPresence: false }),
      connect: (line) => ({ connection: new LineConnection(line, this.writer) }),
    });
  }
}

@Module({ imports: [SocketsModule], providers: [LineWire] })
export class LineWireModule {}
