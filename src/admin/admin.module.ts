// Promises: the administration over HTTP, documented as OpenAPI. Refuses to know: how anything is stored.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { HttpModule } from '../http/index.js';
import { AgentsController } from './agents.controller.js';
import { ApprovalsController } from './approvals.controller.js';
import { AuditController } from './audit.controller.js';
import { BackupController } from './backup.controller.js';
import { ChannelsController } from './channels.controller.js';
import { ConfigController } from './config.controller.js';
import { ConnectionsController } from './connections.controller.js';
import { CronController } from './cron.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { DrainController } from './drain.controller.js';
import { LogsController } from './logs.controller.js';
import { ChangeWatchService } from './change-watch.service.js';
import { EventSourcesService } from './event-sources.service.js';
import { EventsController } from './events.controller.js';
import { LiveEventsService } from './live-events.service.js';
import { MessageRetriesService } from './message-retries.service.js';
import { MessagesController } from './messages.controller.js';
import { MinuteStatisticsService } from './minute-statistics.service.js';
import { NodePairingController } from './node-pairing.controller.js';
import { NodesController } from './nodes.controller.js';
import { PeopleController } from './people.controller.js';
import { QueueController } from './queue.controller.js';
import { SessionAdministrationService } from './session-administration.service.js';
import { SessionsController } from './sessions.controller.js';
import { TenantsController } from './tenants.controller.js';
import { MeController, TokensController } from './tokens.controller.js';
import { StatusController } from './status.controller.js';
import { ToolsController } from './tools.controller.js';
import { TurnsController } from './turns.controller.js';
import { UsageController } from './usage.controller.js';
import { WarningsService } from './warnings.service.js';

@Module({
  imports: [AuthModule, CoreModule, HttpModule],
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
    DrainController,
    LogsController,
    NodesController,
    NodePairingController,
    TokensController,
    MeController,
    StatusController,
    ConnectionsController,
    QueueController,
    MessagesController,
    TurnsController,
    EventsController,
    PeopleController,
    TenantsController,
    UsageController,
  ],
  providers: [
    ChangeWatchService,
    EventSourcesService,
    LiveEventsService,
    MessageRetriesService,
    MinuteStatisticsService,
    SessionAdministrationService,
    WarningsService,
  ],
})
export class AdminModule {}
