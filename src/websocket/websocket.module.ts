// Promises: the wire openclaw.v1, from an authenticated socket to the services that handle its frames.
// Refuses to know: how messages are stored, which agent replies, and any other wire.
import { Module } from '@nestjs/common';
import { CoreModule } from '../core/core.module.js';
import { SocketsModule } from '../sockets/sockets.module.js';
import { ApprovalGateway } from './approval.gateway.js';
import { CanvasGateway } from './canvas.gateway.js';
import { ConnectedFrameService } from './connected-frame.service.js';
import { NodeGateway } from './node.gateway.js';
import { OpenClawGateway } from './openclaw.gateway.js';
import { PresenceGateway } from './presence.gateway.js';
import { ReadingGateway } from './reading.gateway.js';

@Module({
  imports: [CoreModule, SocketsModule],
  providers: [
    ConnectedFrameService,
    OpenClawGateway,
    PresenceGateway,
    ReadingGateway,
    ApprovalGateway,
    CanvasGateway,
    NodeGateway,
  ],
})
export class WebSocketModule {}
