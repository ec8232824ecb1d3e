import type { BlockType, GatewayError } from '../../protocol/domain.js';
import { removedAgent, type AgentDefinition } from '../agents/agent-definition.js';
import { limitSession } from '../questions/question-limits.js';
import type { CallStatus } from '../questions/questions.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { Claim, Ending, Session, StepUsage, StoredMessage } from '../store/index.js';
import type { Trace } from '../telemetry/traceparent.js';
import { failure } from '../tools/tool-outcomes.js';
import type { FailedOutcome } from '../tools/tool.js';
import type { ToolUser } from '../tools/tool-registry.service.js';
import type { Answer, Piece } from './agent-runtime.js';
import { BlockAssembler } from './block-assembler.js';
import { buildEndOfCall, describeOutcome } from './call-end.js';
import type { ReplyBuilder } from './reply-builder.js';
import type { RunSignals } from './run-signals.js';
import type { TurnJournal } from './turn-journal.js';
import type { TurnWriter } from './turn-writer.js';

/** The parts of a run. */
export interface TurnParts extends Pick<Turn, 'claim' | 'signals' | 'journal' | 'reply' | 'writer'> {
  /** Undefined if it was removed. */
  readonly agent: AgentDefinition | undefined;
  /** The seq from which frames of an earlier run are replaced; undefined when all of them stand. */
  readonly replacesFromSeq: number | undefined;
  /** The context of the span of this run; undefined if no traces are made. */
  readonly trace: Trace | undefined;
}

/**
 * One run of a turn: the message, and what the run has produced so far. The events of the agent become blocks, their
 * frames and steps of the journal, up to exactly one `stream_end`.
 */
export class Turn {
  private assembler = new BlockAssembler();
  private firstShownAt: number | undefined;

  readonly claim: Claim;
  readonly signals: RunSignals;
  readonly journal: TurnJournal;
  readonly reply: ReplyBuilder;
  readonly writer: TurnWriter;
  /** Calls of asked agents that are shown as waiting for a decision, by ID. */
  private readonly undecided = new Map<string, CallStatus>();

  constructor(private readonly parts: TurnParts) {
    ({
      claim: this.claim,
      signals: this.signals,
      journal: this.journal,
      reply: this.reply,
      writer: this.writer,
    } = parts);
  }

  /** The agent that answers, to the end of this run. @throws GatewayError AGENT_FAILED if the agent was removed */
  get agent(): AgentDefinition {
    if (!this.parts.agent) throw removedAgent(this.session.agent);
    return this.parts.agent;
  }

  /** The context of the span of this run; undefined if no traces are made. */
  get trace(): Trace | undefined {
    return this.parts.trace;
  }

  /** When this run had its first block, in Unix milliseconds; undefined before. */
  get firstBlockAt(): number | undefined {
    return this.firstShownAt;
  }

  get message(): StoredMessage {
    return this.claim.message;
  }

  get session(): Session {
    return this.claim.session;
  }

  /** The session, caller and agent on whose behalf tools are called. */
  get user(): ToolUser {
    return { session: limitSession(this.session, this.message), caller: this.message.client, agent: this.agent };
  }

  /** Replaces the frames that an earlier run left half-streamed, if there are any. Resolves when that is durable. */
  async resume(): Promise<void> {
    const { replacesFromSeq } = this.parts;
    if (replacesFromSeq !== undefined) await this.writeRestart(replacesFromSeq);
  }

  /** Adds text as a model writes it, in portions of any size. */
  addText(text: string): void {
    this.addPieces(this.assembler.push(text));
  }

  addPiece(piece: Piece): void {
    this.addPieces([...this.assembler.end(), piece]);
  }

  /** Ends the block that the text so far has begun. */
  endText(): void {
    this.addPieces(this.assembler.end());
  }

  /** Ends the block that grows as it was shown so far, marked as partial. */
  endPartial(): void {
    const pieces = this.assembler.end();
    this.addPieces(pieces.map((piece) => ({ ...piece, ...(piece.ends && { metadata: markPartial(piece) }) })));
    const frame = this.reply.endPartial();
    if (frame) this.writer.add(frame);
  }

  /** Adds a whole block. */
  addBlock(type: BlockType, content: string): void {
    const frame = this.reply.buildWholeBlock(type, content);
    this.firstShownAt ??= frame.timestamp;
    this.writer.add(frame);
  }

  /** Records an answer of the model with its blocks and what it has used. Resolves when it is durable; at once when it is the last one. */
  async recordAnswer(answer: Answer, isLast: boolean, usage: StepUsage | undefined): Promise<void> {
    this.endText();
    failpoint('model.before_journal');
    const entry = { ...this.journal.record({ kind: 'answer', body: answer }), usage };
    this.reply.keep();
    if (isLast) this.writer.addStep(entry);
    else await this.writer.record(entry);
  }

  /** Drops what was shown of the current answer. Resolves when that is durable. */
  async restartAnswer(): Promise<void> {
    this.assembler = new BlockAssembler();
    if (!this.reply.takeBack()) return;
    await this.writer.flush();
    await this.writeRestart(this.writer.recordedUpTo + 1);
  }

  /**
   * Writes the end of the turn. A block that grows stays as it was shown, marked as partial. Approvals that its tool calls
   * still wait for expire in the same commit.
   * @throws LeaseLostError
   */
  async end(ending: Ending): Promise<Ending> {
    this.endPartial();
    this.endOpenCalls();
    const { frame, ...reply } = this.reply.buildEnd(ending);
    await this.writer.finish({
      frames: [frame],
      status: ending.reason === 'stop' ? 'done' : ending.reason === 'cancelled' ? 'cancelled' : 'failed',
      ...reply,
      expiredCalls: this.journal.unstartedCalls,
    });
    return ending;
  }

  /** Shows a call of an agent that this turn has asked. Resolves when that is durable. @throws LeaseLostError */
  async showAsked(status: CallStatus): Promise<void> {
    if (status.status === 'awaiting_approval') this.undecided.set(status.call_id, status);
    else this.undecided.delete(status.call_id);
    this.writer.add(this.reply.buildToolStatus(status));
    await this.writer.flush();
  }

  /** Shows the calls that still wait for a decision as denied, since their approvals expire with the turn. */
  private endOpenCalls(): void {
    for (const callId of this.journal.listCalls((call) => !call.mayHaveStarted && call.outcome === undefined)) {
      const tool = this.journal.findCall(callId)?.tool ?? '';
      const outcome = undecided(tool);
      const status = describeOutcome({ callId, tool }, outcome);
      for (const frame of buildEndOfCall(this.reply, outcome, status)) this.writer.add(frame);
    }
    for (const { call_id: callId, tool, agent } of this.undecided.values()) {
      const status = describeOutcome({ callId, tool }, undecided(tool));
      this.writer.add(this.reply.buildToolStatus({ ...status, ...(agent !== undefined && { agent }) }));
    }
  }

  /** Writes before it resolves: a reader drops its deltas at the restart, and those that follow are of the new answer. */
  private async writeRestart(replacesFromSeq: number): Promise<void> {
    this.writer.add(this.reply.buildRestart(replacesFromSeq));
    await this.writer.flush();
  }

  private addPieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      const frame = this.reply.take(piece);
      if (!frame) continue;
      this.firstShownAt ??= frame.timestamp;
      this.writer.add(frame);
      failpoint('model.mid_stream');
    }
  }
}

function undecided(tool: string): FailedOutcome {
  return failure('TOOL_DENIED', { tool, reason: 'the turn ended before a person decided' });
}

function markPartial({ metadata }: Piece): NonNullable<Piece['metadata']> {
  return { ...metadata, partial: true };
}

/** Returns how a message ends because of an error. */
export function failedWith({ code, message, retryable }: GatewayError): Ending {
  return { reason: 'error', error: { code, message, retryable } };
}
