import type { Attachment, BlockType, Usage } from '../../protocol/domain.js';
import type { PresenceState } from '../presence/presence-tracker.service.js';
import type { MessageWithReply, Session, StoredMessage } from '../store/index.js';
import type { ToolDefinition, ToolOutcome } from '../tools/tool.js';
import type { Media } from './media-source.js';

/** A tool call that an answer asks for. */
export interface RequestedCall {
  readonly tool: string;
  readonly parameters: unknown;
}

/** What a model said in one step, as the journal keeps it: enough to go on from it without asking again. */
export interface Answer {
  readonly toolCalls: readonly RequestedCall[];
  readonly usage?: Usage;
  /** What else the runtime needs to go on, as JSON; the gateway does not look into it. */
  readonly state?: unknown;
}

/**
 * A piece of a block. The first piece after one that ends a block begins the next. The block's content is its pieces'
 * texts joined; type and metadata of the last piece count.
 */
export interface Piece {
  readonly blockType: BlockType;
  readonly text: string;
  readonly ends: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a runtime yields while it answers. */
export type AgentEvent =
  /** Text as a model writes it, in any portions; the block assembler makes blocks of it. */
  | { readonly type: 'text'; readonly text: string }
  /** A piece of a block of a given type. */
  | { readonly type: 'piece'; readonly piece: Piece }
  /** What was shown of the answer that is being given is taken back: it begins anew. */
  | { readonly type: 'restart_answer' }
  /**
   * One model answer is complete. It is recorded, with its last blocks, before the runtime goes on. With `isLast` nothing
   * follows but the end of the turn, and all of it is one commit.
   */
  | { readonly type: 'answer'; readonly answer: Answer; readonly isLast?: boolean };

/** One turn as its runtime sees it. */
export interface AgentTurn {
  readonly message: StoredMessage;
  readonly session: Session;
  readonly signal: AbortSignal;
  /** Whether messages may join it while it runs: then an answer without tool calls need not be the last. */
  readonly isSteered: boolean;
  /**
   * The messages that have joined the turn before answer number `n`; those that wait join now, where the settings say so,
   * and get no reply of their own. To be asked when the answer before is recorded and nothing of the next was shown.
   */
  joinedMessages(n: number): Promise<readonly StoredMessage[]>;
  /** Answer number `n` (from 0), when an earlier run of this turn recorded it: it is used and not asked for again. */
  recordedAnswer(n: number): Answer | undefined;
  /**
   * Runs call number `index` of answer number `answer`, once and for all: after a crash the recorded result comes back.
   * Never rejects, but for a turn that is over.
   */
  callTool(answer: number, index: number, call: RequestedCall): Promise<ToolOutcome>;
  /** Up to `limit` earlier messages with their replies, oldest first. */
  readContext(limit: number): Promise<readonly MessageWithReply[]>;
  /** The bytes of an attachment of this or of an earlier message; undefined when they cannot be had. */
  readMedia(attachment: Attachment): Promise<Media | undefined>;
  /** The tools that this session may use. */
  listTools(): readonly ToolDefinition[];
}

/**
 * The port behind which every agent runs. `src/testing/agent-runtime.contract.ts` is its contract as tests:
 *
 * - `run` produces answers in order. It looks at `recordedAnswer(n)` before it produces answer `n`, and yields an `answer`
 *   event for each answer that it produced, after all that it shows of it. The turn ends with the generator.
 * - A tool is called after the answer that asks for it, once per answer and index, also when that answer was recorded.
 * - It ends soon after the signal aborts and yields no further answer.
 * - A failure is thrown as GatewayError AGENT_FAILED, with a reason for people.
 * - Turns run at the same time. A runtime keeps nothing between turns that it cannot lose.
 */
export abstract class AgentRuntime {
  /** For people, logs and the setting `agent.runtime`: `builtin`. */
  abstract readonly name: string;
  abstract run(turn: AgentTurn): AsyncIterable<AgentEvent>;

  /** Notices a change of presence, for example to prepare when a person begins to type. Must not throw. */
  noticePresence(_state: PresenceState): void {}
}
