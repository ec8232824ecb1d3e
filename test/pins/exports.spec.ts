import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** The names that a module exports, types included. Reads the syntax only, since a type checker takes seconds. */
function listExports(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023);
  return source.statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) return listReExports(statement, file);
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (!modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) return [];
    const declarations = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations
      : [statement as ts.DeclarationStatement];
    return declarations.map((declaration) => (declaration.name as ts.Identifier).text);
  });
}

function listReExports({ exportClause, moduleSpecifier }: ts.ExportDeclaration, file: string): string[] {
  if (exportClause)
    return ts.isNamedExports(exportClause)
      ? exportClause.elements.map((element) => element.name.text)
      : [exportClause.name.text];
  const { text } = moduleSpecifier as ts.StringLiteral;
  return listExports(join(dirname(file), text.replace(/\.js$/, '.ts')));
}

/*
 * The exported names of this package, by entry point. Removing a name breaks programs, and an added one has to be kept:
 * both need a line in CHANGELOG.md.
 */
const entryPoints: readonly (readonly [entryPoint: string, file: string, names: string])[] = [
  [
    'openclaw-gateway-nest',
    'src/index.ts',
    `
      ALL_TENANTS AcceptOutcome AcceptedMessage AccountLease AdminStore AdmittedSender AgentDefinition AgentEvent AgentRuntime AgentTurn
      AgentsService Answer Approval ApprovalDecision ApprovalPage ApprovalQuery ApprovalStore ApprovalsService AuditHead AuditNote AuditPerson
      AuditQuery AuditRow AuditStore BLOB_KEY BackupStore BlobStore Broker Button CallReview CancelOutcome CancelSelector CancelTarget CanvasAddress CanvasStore CanvasSurface Capabilities
      ChainVerdict ChainedRow Change ChannelDriver ChannelDriverOptions ChannelLink ChannelManagerService ChannelStatus ChannelStatusService ChannelStore CheckedAccount Claim ClaimRequest ClaimResult ClientKey Clock
      CloseReason ConfigStoreService Connection ConnectionEvent ConnectionManagerService Counter
      CredentialStore CredentialVerifier CronJob CronJobQuery CronMove CronRules CronRun CronRunEnd CronRunKind CronStore DeadLetter DeadLetterQuery DecidedApproval Decision DeliveryError DeviceEvent Done Driver DriverError DriverFault DurableFrame EndedCronRun EndedCronRuns Ending EnteredData Environment ErasedCounts ErasureOutcome ErasurePosition ErasureRequest ExclusiveKeys FIRST_PREVIOUS_HASH FailedDelivery FollowedPosition FramePage
      FrameStore FrameType FrameTypeRegistry GatewayModule GatewayOptions GatewayWsAdapter Gauge HeldChat Histogram
      HistogramOptions HistoryEntry HistoryPage InProcessBroker InboxEntry IncomingMessage InvalidBlobKeyError
      JoinOutcome JoinWrite JournalEntry Json Lease ListPosition ListedSession LoadedSettings Logs MAX_LISTED_THREADS MediaRecord MediaService MediaStore
      Memory MemoryClient MemoryConnection MemoryConnectionsService MemoryQuery MemoryStore MessageEnd
      MessageIntakeService MessageLife MessageRuling MessageSelector MessageWithReply Metric MetricOptions Metrics MovedChat NewCronRun NewFrame NewMessage
      NodeCall NodeChange NodeCommandRecord NodeEvent NodeEventQuery NodeEventRecord NodePairing NodePairingOutcome NodeRecord NodeRegistration NodeStore OpenTelemetryTracing
      OpenedCronRuns Origin OutboxPart PRIORITIES PairingDevice PairingOutcome PairingRequest Part PartText Person PersonPage PersonPosition PersonQuery PersonStatus Piece Place PresenceState PresenceTrackerService PresentedCredential Principal
      Priority QueueCounts QueueLimits QueueStore QueuedMessage ROLE_SCOPES Reaction ReactionChange ReadMessage Reading RecentChat RecordedStep Refusal
      Reply RequestedCall ResourceKind ResumePosition ReviewContext RulingOutcome STORE_PORTS SandboxEnding SandboxModule SandboxRequest
      SandboxService SecretFileReader SectionOptions SeenChat SenderAlias SenderKey SenderUsagePage Session SessionChange SessionCursor SessionPage SessionQuery SessionResource SessionResources
      SessionSeed SessionStore SettingFault SettingKey SettingValue Settings SettingsChange SettingsError
      SettingsOf SettingsReader SettingsRule SettingsSection SettingsStore SettingsTree SettingsVersion ShownImage SignInRecord SignInSelector Span SpanAttributes SpanOptions StartOverrides
      StartPhase StartStep StepUsage StopPhase StopStep Store StoreCopy StoreCopyFile StoreHint StorePorts StoredMessage StoredReaction StoredSettings
      SurfaceDraft SurfaceLimits SweepLimits TailscaleEntry TailscaleStore Target TokenQuery TokenRecord Tool ToolCallContext ToolDefinition ToolExecutor ToolOptions ToolOutcome ToolRegistryService ToolResult
      Topic Trace Tracing TurnEnd TurnRecord TurnRooms TurnStore TurnSubject TurnWrite USAGE_PERIOD_MS Undo Update Updates UploadQuota UploadRefusedError UploadSum UsageQuery UsageRow UsageStore UsageSums UseSettings
      Verdict VerifiesCredentials WaitingPage WaitingQuery WaitingRow WriteOutcome chainAudit clientOfCronJob commandOf createHttpAdapter defineSettings editIdOf endOf findMessageRef isInScope loadSettings mayRule
      noteOfDecision noteOfSession noteOfSettings readAuditTrail replyToRuling runGateway toPlainText verifyAuditChain verifyAuditTrail
    `,
  ],
  [
    'openclaw-gateway-nest/client',
    'src/client/index.ts',
    `
      Acknowledgement Attachment BlockType CanvasAction CanvasApp CanvasBlock ConnectionEndedError ConnectionState DurableFrame GatewayClient
      GatewayClientEvents GatewayClientOptions GatewayError HistoryMessage Loss MAX_CONTENT_LENGTH MessageInPayload
      MessagePhase MessageTooLargeError OutboundFrame PROTOCOL_VERSION PresenceStatus Reply ReplyEvent ReplyState SendOptions SessionPosition
      SocketConstructor SocketLike StreamBlock TOKEN_PATTERN Timers ToolStatusPayload Transcript TranscriptMessage
      TranscriptSource WebchatConversation WebchatIdentity WithdrawnError countCodePoints systemTimers
    `,
  ],
  [
    'openclaw-gateway-nest/driver',
    'src/run-driver.ts',
    'DiscordModule DriverProcess DriverProcessOptions SlackModule TelegramModule runDriver',
  ],
  [
    'openclaw-gateway-nest/node',
    'src/client/node/index.ts',
    `
      CommandContext CommandError FolderNodeStorage IndexedDbNodeStorage MemoryNodeStorage NodeClient NodeClientEvents NodeClientOptions
      NodeCommandSetup NodeIdentity NodeMedia NodeState NodeStorage PairingRefusedError PairingRequest StorageInUseError pairNode
    `,
  ],
  [
    'openclaw-gateway-nest/protocol',
    'src/protocol/index.ts',
    `
      AckStatus ApprovalPayload Attachment BEARER_SUBPROTOCOL_PREFIX BlockType CancelPayload
      CanvasAction CanvasAddressPayload CanvasApp CanvasBlock CanvasKind CanvasOpenPayload CanvasProblemPayload CanvasStatePayload
      ChannelStatusPayload CloseName ConnectedPayload DeliveredPayload DurableType ENVELOPE_LIMITS EndError
      EndReason ErrorCode ErrorDetails ErrorFramePayload ErrorPayload ErrorRow GatewayError GoingAwayPayload
      HistoryMessage HistoryPayload HistoryResultPayload InboundEnvelope InboundPayload InboundRow InboundType
      LogLevel MAX_CONTENT_LENGTH MessageAckPayload MessageInPayload MessageStatus NodeCommand NodeEventAckPayload NodeEventPayload
      NodeRegisterPayload NodeRegisteredPayload OutboundEnvelope
      OutboundFrame OutboundPayload OutboundRow OutboundType PROTOCOL_VERSION PayloadFault PingPayload
      PongPayload PresenceChangePayload PresencePayload PresenceStatus ReactionPayload ReceivedError
      ResumePayload ResumedPayload Role SCOPES SUBPROTOCOL SURFACE_ID Scope SessionMode StreamBlock StreamBlockPayload
      StreamDeltaPayload StreamEndPayload StreamRestartPayload TOKEN_PATTERN ToolCallPayload ToolCallStatus ToolCancelPayload
      ToolResultAckPayload ToolResultPayload ToolStatusPayload
      Usage closeTable errorTable inboundTable outboundTable
    `,
  ],
  [
    'openclaw-gateway-nest/testing',
    'src/testing/index.ts',
    `
      Act CallFailure ECHO_TOOL FakeMetrics FakePlatform FakeReader FakeSocket FakeSockets FakeTerminal FakeTurn GENEROUS_LIMITS KeptLogs
      ManualClock MemorySettings PigeonDriver PlatformApi SeenFrame SentFrame ShownMessage TelegraphDriver TurnAct WrittenMessage aCancelledEnd aClient aFrame aMessage aPayload aReply aSession
      aUser anAgent anApproval anEnd
    `,
  ],
  [
    'openclaw-gateway-nest/testing/contracts',
    'src/testing/contracts.ts',
    `
      AGENT_RUNTIME_CONTRACT BlobsUnderTest BrokerBench CHANNEL_DRIVER_CONTRACT ContractGap DriverUnderTest OpenStore ReopenedStore RuntimeScenario
      RuntimeUnderTest SANDBOX_CONTRACT STORE_CONTRACT SandboxBench StorePorts StoreUnderTest brokerContract
      describeAgentRuntimeContract describeBlobContract describeChannelDriverContract describeStoreContract
    `,
  ],
  [
    'openclaw-gateway-nest/testing/harness',
    'src/testing/harness.ts',
    `
      CoreHarness CoreHarnessOptions CreateTestStore StorePorts TEST_STORES TestStore selectTestStore storeAt
    `,
  ],
  [
    'openclaw-gateway-nest/testing/store-model',
    'src/testing/store.model.ts',
    `
      describeStoreModel
    `,
  ],
];

describe('pinned names of the entry points', () => {
  it.each(entryPoints)('%s', (_entryPoint, file, names) => {
    expect([...new Set(listExports(file))].sort()).toEqual(names.trim().split(/\s+/));
  });
});
