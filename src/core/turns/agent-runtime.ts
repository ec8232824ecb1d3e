import type { Attachment, BlockType, Usage } from '../../protocol/domain.js';
import type { AgentDefinition } from '../agents/agent-definition.js';
import type { PresenceState } from '../presence/presence-tracker.service.js';
import type { Command } from '../sessions/activation.js';
import type { MessageWithReply, Session, StoredMessage } from '../store/index.js';
import type { Trace } from '../telemetry/traceparent.js';
import type { ToolDefinition, ToolOutcome } from '../tools/tool.js';
import type { Media } from './media-source.js';

/** A tool call that an answer requests. */
export interface RequestedCall {
  readonly tool: string;
  readonly parameters: unknown;
}

/** An answer of a model as the journal keeps it: enough to continue without asking the model again. */
export interface Answer {
  readonly toolCalls: readonly RequestedCall[];
  readonly usage?: Usage;
  /** Those of the input tokens that the provider had cached; by default none. */
  readonly cachedTokens?: number;
  /** Further state that the runtime needs to continue, as JSON. Opaque to the gateway. */
  readonly state?: unknown;
}

/**
 * A piece of a block. The first piece after one that ends a block begins the next one. The texts of its pieces joined are
 * the content of a block; its type and metadata are those of the last piece.
 */
export interface Piece {
  readonly blockType: BlockType;
  readonly text: string;
  readonly ends: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An event that a runtime yields. */
export type AgentEvent =
  /** Text as a model writes it, in portions of any size. The block assembler divides it into blocks. */
  | { readonly type: 'text'; readonly text: string }
  /** A piece of a block of a given type. */
  | { readonly type: 'piece'; readonly piece: Piece }
  /** The current answer starts again. Everything that was shown of it is dropped. */
  | { readonly type: 'restart_answer' }
  /**
   * An answer is complete. It is recorded, with its last blocks, before the runtime continues. With `isLast` only the end
   * of the turn follows, and both are written in one commit.
   */
  | { readonly type: 'answer'; readonly answer: Answer; readonly isLast?: boolean };

/** The message of a turn, with its session and its agent. */
export interface TurnSubject {
  readonly message: StoredMessage;
  /** The command that the message is, if it is one. */
  readonly command?: Command;
  readonly session: Session;
  /** Who answers: name, model, prompt. A change of the settings counts from the next turn on. */
  readonly agent: AgentDefinition;
}

/** One turn as its runtime sees it. */
export interface AgentTurn extends TurnSubject {
  readonly signal: AbortSignal;
  /** The trace context for what the runtime does; undefined if no traces are made. */
  readonly trace?: Trace | undefined;
  /** True if messages may join while the turn runs. Then an answer without tool calls need not be the last. */
  readonly isSteered: boolean;
  /**
   * Lets waiting messages join, where the settings allow it, and resolves with all that have joined before answer number
   * `n`. They get no reply of their own. Call it after answer `n - 1` is recorded and before anything of answer `n` is
   * yielded.
   */
  joinedMessages(n: number): Promise<readonly StoredMessage[]>;
  /** Returns answer number `n` (from 0) if an earlier run of this turn recorded it. Use it instead of asking the model. */
  recordedAnswer(n: number): Answer | undefined;
  /**
   * Runs call number `index` of answer number `answer`. After a crash it resolves with the recorded result. Rejects only
   * when the turn has ended.
   */
  callTool(answer: number, index: number, call: RequestedCall): Promise<ToolOutcome>;
  /** Reads up to `limit` earlier messages with their replies, oldest first. */
  readContext(limit: number): Promise<readonly MessageWithReply[]>;
  /** Reads an attachment of this or an earlier message. Resolves with undefined when it is not available. */
  readMedia(attachment: Attachment): Promise<Media | undefined>;
  /** Returns the tools that this session may use. */
  listTools(): readonly ToolDefinition[];
  /** Returns what these tools add to the system prompt. @param nameOf returns the name of a tool that the model knows */
  readGuides(nameOf: (tool: string) => string): readonly string[];
}

/**
 * The port of agents. `src/testing/agent-runtime.contract.ts` is its contract as tests:
 *
 * - `run` produces answers in order. It checks `recordedAnswer(n)` before it produces answer `n`, and yields an `answer`
 *   event for each answer that it produced, after all other events of it. The turn ends with the generator.
 * - A tool is called after the answer that requests it, once per answer and index, also when that answer was recorded.
 * - It ends soon after the signal aborts and yields no further answer.
 * - A failure is thrown as GatewayError AGENT_FAILED, with a reason that people can read.
 * - Turns run at the same time. State that a runtime keeps between turns may be lost at any time.
 */
export abstract class AgentRuntime {
  /** Shown to people and in logs, and the value of the setting `agent.runtime`: `builtin`. */
  abstract readonly name: string;
  abstract run(turn: AgentTurn): AsyncIterable<AgentEvent>;

  /**
   * Returns the pieces of the whole answer if it needs nothing but these facts, and undefined if it takes {@link run}. The
   * turn is then one synchronous step and one commit, which costs a third. The pieces must be those that `run` would
   * yield, whole blocks, and few: the event loop does nothing else meanwhile. It is not asked about a message that may
   * be joined by others, or that an earlier run began. The default returns undefined.
   */
  answerNow(_turn: TurnSubject): readonly Piece[] | undefined {
    return undefined;
  }

  /** Returns the name of the runtime that answers for an agent. */
  runtimeOf(_agent: AgentDefinition): string {
    return this.name;
  }

  /** Returns why an agent cannot answer now, in words for operators; undefined if it can, as far as is known without asking. */
  findProblem(_agent: AgentDefinition): string | undefined {
    return undefined;
  }

  /** Called when the presence of a person changes, for example to prepare when they begin to type. Must not throw. */
  noticePresence(_state: PresenceState): void {}
}
