// Promises: the chapter's wire, from an authenticated socket to the services that answer its frames.
// Refuses to know: how messages are kept, who answers them, and what any other wire looks like.
import { Module } from '@nestjs/common';
import { CoreModule } from '../core/core.module.js';
import { SocketsModule } from '../sockets/sockets.module.js';
import { ApprovalGateway } from './approval.gateway.js';
import { ConnectedFrameService } from './connected-frame.service.js';
import { OpenClawGateway } from './openclaw.gateway.js';
import { PresenceGateway } from './presence.gateway.js';
import { ReadingGateway } from './reading.gateway.js';

@Module({
  imports: [CoreModule, SocketsModule],
  providers: [ConnectedFrameService, OpenClawGateway, PresenceGateway, ReadingGateway, ApprovalGateway],
})
export class WebSocketModule {}
