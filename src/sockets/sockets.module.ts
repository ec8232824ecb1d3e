// Promises: authenticated WebSockets for any wire: upgrade, order, back-pressure, heartbeat, closing.
// Refuses to know: what a frame says.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { HttpModule } from '../http/http.module.js';
import { SocketServer } from './socket-server.js';
import { UpgradeGate } from './upgrade-gate.js';

@Module({ imports: [AuthModule, HttpModule], providers: [SocketServer, UpgradeGate], exports: [SocketServer] })
export class SocketsModule {}
