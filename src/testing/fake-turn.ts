import Type from 'typebox';
import { parseCommand, type Command } from '../core/sessions/activation.js';
import type { Session, StoredMessage } from '../core/store/index.js';
import type { ToolDefinition, ToolOutcome } from '../core/tools/tool.js';
import type { AgentEvent, AgentRuntime, AgentTurn, Answer, RequestedCall } from '../core/turns/agent-runtime.js';
import { aClient, anAgent, aPayload, aSession } from './factories.js';

/** The only tool of a {@link FakeTurn}; it returns its parameters. */
export const ECHO_TOOL: ToolDefinition = {
  name: 'contract.echo',
  description: 'Returns its parameters.',
  parameters: Type.Object({ value: Type.Integer() }, { additionalProperties: false }),
  permissions: [],
  timeoutMs: 1_000,
  idempotent: true,
  requiresApproval: false,
  sandbox: false,
  handler: (parameters) => parameters,
};

/** One recorded action of a runtime. */
export type TurnAct =
  | { readonly act: 'event'; readonly event: AgentEvent }
  | { readonly act: 'call'; readonly answer: number; readonly index: number; readonly call: RequestedCall }
  | { readonly act: 'joined'; readonly before: number };

/** A turn without a gateway. It records what a runtime does with it. */
export class FakeTurn implements AgentTurn {
  readonly acts: TurnAct[] = [];
  readonly isSteered: boolean;
  readonly message: StoredMessage;
  readonly command?: Command;
  readonly session: Session;
  readonly agent = anAgent();
  private readonly controller = new AbortController();
  private readonly recorded: readonly Answer[];
  private readonly joining: ReadonlyMap<number, readonly StoredMessage[]>;

  /**
   * @param content of the message to answer
   * @param recorded answers of an earlier run; they pass through JSON, as in a journal
   * @param joining texts of the messages that join before answer `n`; with it the turn is steered
   */
  constructor(
    content: string,
    { recorded = [], joining }: { recorded?: readonly Answer[]; joining?: Readonly<Record<number, string>> } = {},
  ) {
    this.session = {
      ...aSession('contract'),
      hasSeveralParticipants: false,
      createdAt: 1_800_000_000_000,
      lastActive: 1_800_000_000_000,
      memoryRefs: [],
      toolPermissions: [],
      explicitActivation: false,
      headSeq: 0,
    };
    this.message = this.buildMessage('m_asked', content);
    const command = parseCommand(content, 'openclaw');
    if (command) this.command = command;
    this.recorded = JSON.parse(JSON.stringify(recorded)) as readonly Answer[];
    this.isSteered = joining !== undefined;
    this.joining = new Map(
      Object.entries(joining ?? {}).map(([n, text]) => [Number(n), [this.buildMessage(`m_joined_${n}`, text)]]),
    );
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  abort(): void {
    this.controller.abort('cancelled');
  }

  /** Runs the turn to its end, as the turn runner does. Rejects with the error that the runtime throws. */
  async run(runtime: AgentRuntime, onEvent: (event: AgentEvent) => void = () => {}): Promise<void> {
    for await (const event of runtime.run(this)) {
      this.acts.push({ act: 'event', event });
      onEvent(event);
    }
  }

  get events(): readonly AgentEvent[] {
    return this.acts.flatMap((act) => (act.act === 'event' ? act.event : []));
  }

  /** The answers that the runtime yielded, without the recorded ones. */
  get answers(): readonly Answer[] {
    return this.events.flatMap((event) => (event.type === 'answer' ? event.answer : []));
  }

  async joinedMessages(n: number): Promise<readonly StoredMessage[]> {
    this.acts.push({ act: 'joined', before: n });
    return this.joining.get(n) ?? [];
  }

  recordedAnswer(n: number): Answer | undefined {
    return this.recorded[n] ?? this.answers[n - this.recorded.length];
  }

  async callTool(answer: number, index: number, call: RequestedCall): Promise<ToolOutcome> {
    this.acts.push({ act: 'call', answer, index, call });
    return { ok: true, content: call.parameters };
  }

  async readContext(): Promise<readonly never[]> {
    return [];
  }

  async readMedia(): Promise<undefined> {
    return undefined;
  }

  listTools(): readonly ToolDefinition[] {
    return [ECHO_TOOL];
  }

  readGuides(): readonly never[] {
    return [];
  }

  private buildMessage(messageRef: string, content: string): StoredMessage {
    return {
      messageRef,
      messageId: `id of ${messageRef}`,
      client: aClient(),
      sessionId: this.session.id,
      payload: aPayload({ content }),
      priority: 1,
      receivedAt: 1_800_000_000_000,
    };
  }
}
