/** The public API for applications: the module and its extension points. */
export { GatewayModule, type GatewayOptions } from './gateway.module.js';
export { createHttpAdapter } from './http/index.js';
export { GatewayWsAdapter } from './websocket/gateway-ws.adapter.js';
export { runGateway, type StartOverrides } from './run-gateway.js';
export { Tool, type ToolExecutor, type ToolOptions } from './core/tools/tool.decorator.js';
export {
  ToolResult,
  type CallReview,
  type ReviewContext,
  type ShownImage,
  type ToolCallContext,
  type ToolDefinition,
  type ToolOutcome,
} from './core/tools/tool.js';
export { ToolRegistryService } from './core/tools/tool-registry.service.js';
export { SandboxModule } from './tools/sandbox/sandbox.module.js';
export { SandboxService, type SandboxEnding, type SandboxRequest } from './tools/sandbox/sandbox.service.js';
export {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type Answer,
  type Piece,
  type RequestedCall,
  type TurnSubject,
} from './core/turns/agent-runtime.js';
export type { AgentDefinition } from './core/agents/agent-definition.js';
export { AgentsService } from './core/agents/agents.service.js';
export { FrameTypeRegistry, type FrameType } from './core/connections/frame-type.registry.js';
export type { Connection, ConnectionEvent } from './core/connections/connection.js';
export { ConnectionManagerService } from './core/connections/connection-manager.service.js';
export { ApprovalsService } from './core/approvals/approvals.service.js';
export { ChannelDriver, type ChannelDriverOptions } from './core/channels/channel-driver.decorator.js';
export {
  commandOf,
  DeliveryError,
  DriverError,
  editIdOf,
  type Button,
  type Capabilities,
  type Change,
  type ChannelLink,
  type CheckedAccount,
  type Driver,
  type DriverFault,
  type FailedDelivery,
  type Part,
  type PartText,
  type Place,
  type ReactionChange,
  type Reading,
  type ReadMessage,
  type RecentChat,
  type Target,
  type Update,
  type Updates,
} from './core/channels/driver.js';
export { NodeEvent, type DeviceEvent } from './core/nodes/node-event.decorator.js';
export { ChannelManagerService } from './core/channels/channel-manager.service.js';
export { toPlainText } from './core/channels/kit/text-length.js';
export { ChannelStatusService, type ChannelStatus } from './core/connections/channel-status.service.js';
export type { HistoryEntry, HistoryPage } from './core/connections/history-page.js';
export type { Decision, MemoryClient, MemoryConnection, PersonStatus } from './core/connections/memory-connection.js';
export { MemoryConnectionsService } from './core/connections/memory-connections.service.js';
export type { CloseReason } from './core/delivery/frame-reader.js';
export {
  MessageIntakeService,
  type CancelTarget,
  type IncomingMessage,
  type Origin,
  type QueuedMessage,
  type Reaction,
} from './core/intake/message-intake.service.js';
export { PresenceTrackerService, type PresenceState } from './core/presence/presence-tracker.service.js';
export { StartStep, StopStep, type StartPhase, type StopPhase, type Undo } from './core/lifecycle/steps.js';
export { SessionResources, type ResourceKind, type SessionResource } from './core/sessions/session-resources.js';
export { ConfigStoreService } from './core/config/config-store.service.js';
export {
  VerifiesCredentials,
  type CredentialVerifier,
  type PresentedCredential,
  type Refusal,
  type Verdict,
} from './auth/index.js';
export { ROLE_SCOPES, type Principal } from './core/identity/principal.js';
export type { LoadedSettings } from './core/config/load-settings.js';
export * from './core/config/section.js';
export { UseSettings } from './core/config/use-settings.js';
export { loadSettings } from './settings.js';
export { Clock } from './core/time/clock.js';
export { Broker, type ExclusiveKeys, type Topic } from './core/broker/broker.js';
export { InProcessBroker } from './core/broker/in-process-broker.js';
export {
  Metrics,
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type Metric,
  type MetricOptions,
} from './core/telemetry/metrics.js';
export { Tracing, type Span, type SpanAttributes, type SpanOptions } from './core/telemetry/tracing.js';
export type { Trace } from './core/telemetry/traceparent.js';
export { OpenTelemetryTracing } from './telemetry/traces/open-telemetry.js';
export { Logs } from './core/telemetry/logs.js';
export * from './core/store/index.js';
export {
  chainAudit,
  readAuditTrail,
  verifyAuditChain,
  verifyAuditTrail,
  type ChainVerdict,
} from './core/audit/audit-chain.js';
export { noteOfDecision, noteOfSession, noteOfSettings } from './core/audit/audit-notes.js';
export { MediaService, UploadRefusedError } from './core/media/media.service.js';
export { BLOB_KEY, BlobStore, InvalidBlobKeyError } from './core/media/blob.store.js';
