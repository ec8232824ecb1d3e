import { GatewayError } from '../../protocol/domain.js';
import type { ApprovalsService } from '../approvals/approvals.service.js';
import type { ConfigStoreService } from '../config/config-store.service.js';
import type { DeliveryService } from '../delivery/delivery.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { SessionCommandsService } from '../sessions/session-commands.service.js';
import type { Claim, Ending, NewFrame, Session, TurnEnd, TurnRecord, TurnStore } from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Clock } from '../time/clock.js';
import type { ToolRegistryService, ToolUser } from '../tools/tool-registry.service.js';
import type { AgentEvent, AgentRuntime, AgentTurn, Answer, Piece } from './agent-runtime.js';
import type { MediaSource } from './media-source.js';
import { BlockAssembler } from './block-assembler.js';
import { Joining } from './joining.js';
import { ReplyBuilder } from './reply-builder.js';
import { findResumePoint } from './standing-blocks.js';
import { ToolSteps } from './tool-steps.js';
import { TurnJournal } from './turn-journal.js';
import { TurnWriter } from './turn-writer.js';

/** What every turn uses. */
export interface TurnParts {
  readonly runtime: AgentRuntime;
  readonly store: TurnStore;
  readonly delivery: DeliveryService;
  readonly tools: ToolRegistryService;
  readonly approvals: ApprovalsService;
  readonly commands: SessionCommandsService;
  readonly media: MediaSource;
  readonly config: ConfigStoreService;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long the events of one turn are taken in one go, in milliseconds. */
const LONGEST_STRETCH_MS = 1;

/** One run of one turn: the agent's events become journal and frames, up to exactly one `stream_end`. */
export class Turn {
  private assembler = new BlockAssembler();
  private readonly journal: TurnJournal;
  private readonly reply: ReplyBuilder;
  private readonly writer: TurnWriter;
  private readonly toolSteps: ToolSteps;
  private readonly joining: Joining;
  private readonly user: ToolUser;
  /** Aborts when the agent and its tools must end: at `stop`, and when the turn has taken too long. */
  private readonly agentStop = new AbortController();
  private readonly replacesFromSeq: number | undefined;

  /**
   * @param stop aborts when the run should end: to be cancelled, or to be left to somebody else
   * @param giveUp aborts in the latter case only: nothing more may be written
   * @param record what an earlier run has left; empty on the first
   */
  constructor(
    private readonly claim: Claim,
    private readonly session: Session,
    record: TurnRecord,
    private readonly stop: AbortSignal,
    giveUp: AbortSignal,
    private readonly parts: TurnParts,
  ) {
    const { delivery, clock, log, tools } = parts;
    const { blocks, replacesFromSeq } = findResumePoint(record);
    this.replacesFromSeq = replacesFromSeq;
    this.journal = new TurnJournal(claim.message.messageRef, record);
    this.reply = new ReplyBuilder(claim, delivery, clock, blocks);
    this.writer = new TurnWriter(
      claim.lease,
      Math.max(session.headSeq, record.steps.at(-1)?.headSeq ?? 0),
      delivery,
      clock,
      log,
      giveUp,
    );
    this.user = { session, caller: claim.message.client };
    const stepParts = {
      registry: tools,
      approvals: parts.approvals,
      journal: this.journal,
      writer: this.writer,
      reply: this.reply,
      clock,
    };
    this.toolSteps = new ToolSteps(stepParts, this.user, claim.message.messageRef, this.agentStop.signal);
    this.joining = new Joining({ ...parts, journal: this.journal, writer: this.writer }, claim, session, stop);
  }

  /** Answers the message. @throws LeaseLostError when the run has to be left to somebody else */
  async run(): Promise<Ending> {
    if (this.replacesFromSeq !== undefined) await this.tellRestart(this.replacesFromSeq);
    const ending = await this.answer();
    await this.end(ending);
    return ending;
  }

  /** Ends the turn without an answer. @throws LeaseLostError */
  async end(ending: Ending): Promise<void> {
    const { frame, reply } = this.reply.buildEnd(ending);
    const end: Omit<TurnEnd, 'journal'> = {
      frames: [frame],
      status: ending.reason === 'stop' ? 'done' : ending.reason === 'cancelled' ? 'cancelled' : 'failed',
      reply,
    };
    await this.writer.finish(end);
  }

  private async answer(): Promise<Ending> {
    if (this.stop.aborted) return { reason: 'cancelled' };
    const said = await this.parts.commands.run(this.claim.message, this.session);
    if (said !== undefined) {
      this.writer.add(this.reply.buildWholeBlock('status', said));
      return { reason: 'stop' };
    }
    return this.askAgent();
  }

  private async askAgent(): Promise<Ending> {
    const timeoutMs = this.parts.config.get('agent.turn_timeout_ms');
    const run = this.agentStop;
    const onStop = () => run.abort(this.stop.reason);
    let isLate = false;
    const cancelTimer = this.parts.clock.setTimer(timeoutMs, () => {
      isLate = true;
      run.abort();
    });
    // By hand, since AbortSignal.any costs more than all the rest of a short turn.
    this.stop.addEventListener('abort', onStop);
    try {
      await this.parts.tools.sources.whenStarted(run.signal);
      await this.consume(this.parts.runtime.run(this.buildAgentTurn(run.signal))[Symbol.asyncIterator](), run.signal);
      if (isLate) throw new GatewayError('AGENT_FAILED', { reason: `no answer within ${timeoutMs} ms` });
      if (this.stop.aborted) return { reason: 'cancelled' };
      this.takePieces(this.assembler.end());
      return { reason: 'stop', ...this.sumUsage() };
    } catch (error) {
      if (this.stop.aborted) return { reason: 'cancelled' };
      if (!(error instanceof GatewayError) || error.code !== 'AGENT_FAILED') throw error;
      this.takePieces(this.assembler.end());
      // Not everybody looks at how a message ended: what went wrong stands where an answer would.
      this.writer.add(this.reply.buildWholeBlock('status', error.message));
      return {
        reason: 'error',
        ...this.sumUsage(),
        error: { code: error.code, message: error.message, retryable: error.retryable },
      };
    } finally {
      this.stop.removeEventListener('abort', onStop);
      cancelTimer();
    }
  }

  /** Pulls the agent's events. An agent that ignores its signal is left behind, not waited for. */
  private async consume(events: AsyncIterator<AgentEvent>, signal: AbortSignal): Promise<void> {
    let giveUpWaiting: (() => void) | undefined;
    signal.addEventListener('abort', () => giveUpWaiting?.(), { once: true });
    let turnedAt = performance.now();
    while (!signal.aborted) {
      // A step that is left behind may end as it likes: its promise is settled already.
      const result = await new Promise<IteratorResult<AgentEvent> | undefined>((resolve, reject) => {
        giveUpWaiting = () => resolve(undefined);
        events.next().then(resolve, reject);
      });
      if (!result) {
        void events.return?.().catch(() => {});
        return;
      }
      if (result.done) return;
      await this.take(result.value);
      if (performance.now() - turnedAt < LONGEST_STRETCH_MS) continue;
      // An agent that never has to wait must not keep everybody else waiting.
      await new Promise((resolve) => setImmediate(resolve));
      turnedAt = performance.now();
    }
  }

  private async take(event: AgentEvent): Promise<void> {
    switch (event.type) {
      case 'text':
        this.takePieces(this.assembler.push(event.text));
        break;
      case 'piece':
        this.takePieces([...this.assembler.end(), event.piece]);
        break;
      case 'answer':
        this.takePieces(this.assembler.end());
        failpoint('model.before_journal');
        await this.recordAnswer(event.answer, event.isLast ?? false);
        break;
      case 'restart_answer':
        await this.restartAnswer();
        break;
    }
  }

  private async recordAnswer(answer: Answer, isLast: boolean): Promise<void> {
    const entry = this.journal.record({ kind: 'answer', body: answer });
    this.reply.keep();
    if (isLast) this.writer.addStep(entry);
    else await this.writer.record(entry);
  }

  private async restartAnswer(): Promise<void> {
    this.assembler = new BlockAssembler();
    if (!this.reply.takeBack()) return;
    await this.writer.flush();
    await this.tellRestart(this.writer.recordedUpTo + 1);
  }

  /** Resolves when readers have it: it discards deltas, and those that follow are of the new answer. */
  private async tellRestart(replacesFromSeq: number): Promise<void> {
    this.writer.add(this.reply.buildRestart(replacesFromSeq));
    await this.writer.flush();
  }

  private takePieces(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      const frame: NewFrame | undefined = this.reply.take(piece);
      if (!frame) continue;
      this.writer.add(frame);
      failpoint('model.mid_stream');
    }
  }

  private buildAgentTurn(signal: AbortSignal): AgentTurn {
    const { message } = this.claim;
    return {
      message,
      session: this.session,
      signal,
      isSteered: this.joining.isSteered,
      joinedMessages: (n) => this.joining.take(n),
      recordedAnswer: (n) => this.journal.recordedAnswers[n],
      callTool: (answer, index, call) => this.toolSteps.call(answer, index, call),
      readContext: (limit) => this.parts.store.readContext(message.sessionId, message.messageRef, limit),
      readMedia: (attachment) => this.parts.media.read(attachment, this.session),
      listTools: () => this.parts.tools.getAvailableTools(this.user),
    };
  }

  private sumUsage(): Pick<Ending, 'usage'> {
    const usages = this.journal.recordedAnswers.flatMap((answer) => answer.usage ?? []);
    if (usages.length === 0) return {};
    return {
      usage: {
        input_tokens: usages.reduce((sum, usage) => sum + usage.input_tokens, 0),
        output_tokens: usages.reduce((sum, usage) => sum + usage.output_tokens, 0),
      },
    };
  }
}
