// Promises: the administration over HTTP, documented as OpenAPI. Refuses to know: how anything is stored.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { AgentsController } from './agents.controller.js';
import { ApprovalsController } from './approvals.controller.js';
import { AuditController } from './audit.controller.js';
import { BackupController } from './backup.controller.js';
import { ChannelsController } from './channels.controller.js';
import { ConfigController } from './config.controller.js';
import { CronController } from './cron.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { LogsController } from './logs.controller.js';
import { NodePairingController } from './node-pairing.controller.js';
import { NodesController } from './nodes.controller.js';
import { SessionsController } from './sessions.controller.js';
import { MeController, TokensController } from './tokens.controller.js';
import { ToolsController } from './tools.controller.js';

@Module({
  imports: [AuthModule, CoreModule],
  controllers: [
    ConfigController,
    SessionsController,
    ToolsController,
    ApprovalsController,
    AgentsController,
    AuditController,
    BackupController,
    ChannelsController,
    CronController,
    DeadLettersController,
    LogsController,
    NodesController,
    NodePairingController,
    TokensController,
    MeController,
  ],
})
export class AdminModule {}
