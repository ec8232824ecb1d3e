// Promises: the control plane, from an accepted message to a delivered block. Refuses to know: sockets, SQL, vendors.
import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { AgentsService } from './agents/agents.service.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { DirectCallsService } from './approvals/direct-calls.service.js';
import { ChannelGateway } from './channels/channel-gateway.js';
import { ChannelManagerService } from './channels/channel-manager.service.js';
import { ChannelSetupService } from './channels/channel-setup.service.js';
import { CanvasService } from './canvas/canvas.service.js';
import { CoreChannelGateway } from './channels/core-channel-gateway.service.js';
import { ChannelFollowersService } from './connections/channel-followers.service.js';
import { ChannelStatusService } from './connections/channel-status.service.js';
import { ConnectedChannels } from './connections/connected-channels.js';
import { SettingsHistoryService } from './config/settings-history.service.js';
import { SecretFilesService } from './config/secret-files.service.js';
import { StoredSettingsService } from './config/stored-settings.service.js';
import { ConnectionManagerService } from './connections/connection-manager.service.js';
import { ConversationReaderService } from './connections/conversation-reader.service.js';
import { ConversationWriterService } from './connections/conversation-writer.service.js';
import { FrameTypeRegistry } from './connections/frame-type.registry.js';
import { MemoryConnectionsService } from './connections/memory-connections.service.js';
import { PresenceNoticesService } from './connections/presence-notices.service.js';
import { RefusalsService } from './connections/refusals.service.js';
import { CredentialEndsService } from './connections/credential-ends.service.js';
import { DeliveryService } from './delivery/delivery.service.js';
import { LiveCredentialsService } from './identity/live-credentials.service.js';
import { LogWriterService } from './delivery/log-writer.service.js';
import { SlowReadersService } from './delivery/slow-readers.service.js';
import { MessageIntakeService } from './intake/message-intake.service.js';
import { AuditHeadService } from './audit/audit-head.service.js';
import { BackupService } from './housekeeping/backup.service.js';
import { HousekeepingService } from './housekeeping/housekeeping.service.js';
import { LastBackupService } from './housekeeping/last-backup.service.js';
import { NodeCallsService } from './nodes/node-calls.service.js';
import { NodeEventsService } from './nodes/node-events.service.js';
import { NodeJobsService } from './nodes/node-jobs.service.js';
import { NodeLinksService } from './nodes/node-links.service.js';
import { NodeRegistrationService } from './nodes/node-registration.service.js';
import { NodeToolsService } from './nodes/node-tools.service.js';
import { NodesService } from './nodes/nodes.service.js';
import { PhaseService } from './phase/phase.service.js';
import { ProcessGuardService } from './lifecycle/process-guard.service.js';
import { StartStopService } from './lifecycle/start-stop.service.js';
import { StoreSteps } from './lifecycle/store-steps.js';
import { MemoryBudgetService } from './limits/memory-budget.service.js';
import { QuotasService } from './limits/quotas.service.js';
import { RateLimitsService } from './limits/rate-limits.service.js';
import { PresenceTrackerService } from './presence/presence-tracker.service.js';
import { MediaService } from './media/media.service.js';
import { MessageClaimsService } from './queue/message-claims.service.js';
import { CronJobsService } from './cron/cron-jobs.service.js';
import { CronRunsService } from './cron/cron-runs.service.js';
import { CronService } from './cron/cron.service.js';
import { MakerRightsService } from './cron/maker-rights.service.js';
import { MessageQueueService } from './queue/message-queue.service.js';
import { QueueRulesService } from './queue/queue-rules.service.js';
import { QuestionsService } from './questions/questions.service.js';
import { LocalSessionResources } from './sessions/local-session-resources.service.js';
import { SessionChangesService } from './sessions/session-changes.service.js';
import { SessionCommandsService } from './sessions/session-commands.service.js';
import { SessionResources } from './sessions/session-resources.js';
import { SessionRouterService } from './sessions/session-router.service.js';
import { SkillsService } from './skills/skills.service.js';
import { ToolExplorerService } from './tools/tool-explorer.service.js';
import { UnknownNamesService } from './tools/unknown-names.service.js';
import { ToolRegistryService } from './tools/tool-registry.service.js';
import { AgentPresenceService } from './turns/agent-presence.service.js';
import { JoiningService } from './turns/joining.service.js';
import { MediaSource } from './turns/media-source.js';
import { ReplyService } from './turns/reply.service.js';
import { StoredMediaSource } from './turns/stored-media-source.js';
import { ToolCallsService } from './turns/tool-calls.service.js';
import { TurnAgentService } from './turns/turn-agent.service.js';
import { TurnMeterService } from './turns/turn-meter.service.js';
import { TurnFactoryService } from './turns/turn-factory.service.js';
import { TurnMetricsService } from './turns/turn-metrics.service.js';
import { TurnTracesService } from './turns/turn-traces.service.js';
import { TurnRunnerService } from './turns/turn-runner.service.js';

const exported = [
  AgentsService,
  BackupService,
  SkillsService,
  ApprovalsService,
  CanvasService,
  ChannelManagerService,
  ChannelSetupService,
  ChannelStatusService,
  { provide: ConnectedChannels, useExisting: ChannelStatusService },
  ConnectionManagerService,
  ConversationReaderService,
  ConversationWriterService,
  CronJobsService,
  CronService,
  DeliveryService,
  DirectCallsService,
  FrameTypeRegistry,
  LastBackupService,
  LiveCredentialsService,
  PhaseService,
  MediaService,
  MemoryBudgetService,
  MemoryConnectionsService,
  MessageIntakeService,
  MessageQueueService,
  NodeCallsService,
  NodeEventsService,
  NodeRegistrationService,
  NodesService,
  PresenceTrackerService,
  QuestionsService,
  QuotasService,
  RateLimitsService,
  RefusalsService,
  { provide: SessionResources, useClass: LocalSessionResources },
  SessionChangesService,
  SessionCommandsService,
  SessionRouterService,
  SettingsHistoryService,
  ProcessGuardService,
  StartStopService,
  ToolRegistryService,
  TurnRunnerService,
];

/** Global, so that a team's modules can inject the core's providers without importing it. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    ...exported,
    { provide: MediaSource, useClass: StoredMediaSource },
    ChannelFollowersService,
    CredentialEndsService,
    { provide: ChannelGateway, useClass: CoreChannelGateway },
    AuditHeadService,
    HousekeepingService,
    JoiningService,
    LogWriterService,
    MessageClaimsService,
    NodeLinksService,
    NodeToolsService,
    PresenceNoticesService,
    QueueRulesService,
    ReplyService,
    SlowReadersService,
    StoreSteps,
    SecretFilesService,
    StoredSettingsService,
    ToolCallsService,
    ToolExplorerService,
    TurnAgentService,
    TurnMeterService,
    TurnFactoryService,
    TurnMetricsService,
    TurnTracesService,
    UnknownNamesService,
    AgentPresenceService,
    CronRunsService,
    MakerRightsService,
    NodeJobsService,
  ],
  exports: exported,
})
export class CoreModule {}
