import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  experimentalDecorators: true,
  skipLibCheck: true,
  noEmit: true,
};

/** The names that a module offers to those who import it, types included, in alphabetical order. */
function listExports(program: ts.Program, file: string): string[] {
  const source = program.getSourceFile(file);
  const module = source && program.getTypeChecker().getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is no module`);
  return program.getTypeChecker().getExportsOfModule(module).map((symbol) => symbol.name).sort();
}

/*
 * What programs import from this package, by entry point. A name that goes breaks them, and one that comes has to be
 * kept: both need a line in CHANGELOG.md.
 */
const entryPoints: readonly (readonly [entryPoint: string, file: string, names: string])[] = [
  [
    'openclaw-gateway-nest',
    'src/index.ts',
    `
      AcceptOutcome AcceptedMessage AgentEvent AgentRuntime AgentTurn Answer CancelOutcome CancelSelector Claim
      ClaimRequest ClaimResult ClientKey Clock ConfigStoreService Connection DurableFrame FramePage FrameStore
      FrameType FrameTypeRegistry GatewayModule GatewayOptions JournalEntry Json Lease Logs MessageWithReply
      NewFrame NewMessage PRIORITIES Piece Priority QueueCounts QueueLimits QueueStore RecordedStep Reply
      RequestedCall Session SessionChange SessionCursor SessionSeed SessionStore SettingsChange SettingsStore
      StartOverrides Store StoreHint StoredMessage StoredSettings SweepLimits Tool ToolCallContext ToolDefinition
      ToolExecutor ToolOptions ToolOutcome ToolRegistryService TurnEnd TurnRecord TurnStore TurnWrite WriteOutcome
      runGateway
    `,
  ],
  [
    'openclaw-gateway-nest/client',
    'src/client/index.ts',
    `
      Acknowledgement Attachment BlockType ConnectionEndedError ConnectionState DurableFrame GatewayClient
      GatewayClientEvents GatewayClientOptions GatewayError HistoryMessage Loss MessageInPayload OutboundFrame Reply
      ReplyEvent SessionPosition SocketConstructor SocketLike StreamBlock Timers WithdrawnError
    `,
  ],
  [
    'openclaw-gateway-nest/protocol',
    'src/protocol/index.ts',
    `
      AckStatus Attachment BEARER_SUBPROTOCOL_PREFIX BlockType CancelPayload ChannelStatusPayload CloseName
      ConnectedPayload DeliveredPayload DurableType ENVELOPE_LIMITS EndError EndReason ErrorCode ErrorDetails
      ErrorFramePayload ErrorPayload ErrorRow GatewayError GoingAwayPayload HistoryMessage HistoryPayload
      HistoryResultPayload InboundEnvelope InboundPayload InboundRow InboundType LogLevel MAX_CONTENT_LENGTH
      MessageAckPayload MessageInPayload MessageStatus OutboundEnvelope OutboundFrame OutboundPayload OutboundRow
      OutboundType PROTOCOL_VERSION PayloadFault PingPayload PongPayload PresencePayload PresenceStatus
      ReactionPayload ReceivedError ResumePayload ResumedPayload SCOPES SUBPROTOCOL Scope SessionMode StreamBlock
      StreamBlockPayload StreamDeltaPayload StreamEndPayload StreamRestartPayload TOKEN_PATTERN ToolCallStatus
      ToolStatusPayload Usage closeTable errorTable inboundTable laterInboundTypes outboundTable
    `,
  ],
  [
    'openclaw-gateway-nest/testing',
    'src/testing/index.ts',
    `
      FakeSocket FakeSockets GENEROUS_LIMITS ManualClock SentFrame aClient aFrame aMessage aPayload aSession anEnd
    `,
  ],
];

describe('pinned names of the entry points', () => {
  let program: ts.Program;

  beforeAll(() => {
    program = ts.createProgram(entryPoints.map(([, file]) => file), OPTIONS);
  });

  it.each(entryPoints)('%s', (_entryPoint, file, names) => {
    expect(listExports(program, file)).toEqual(names.trim().split(/\s+/));
  });
});
