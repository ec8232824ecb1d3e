import { Injectable } from '@nestjs/common';
import { GatewayError, type ErrorCode } from '../../protocol/domain.js';
import { readCommand } from '../questions/question-limits.js';
import { readFiring } from '../sessions/firing.js';
import { QuestionsService } from '../questions/questions.service.js';
import type { Command } from '../sessions/activation.js';
import { SessionCommandsService } from '../sessions/session-commands.service.js';
import type { Ending } from '../store/index.js';
import { Clock } from '../time/clock.js';
import { ToolRegistryService } from '../tools/tool-registry.service.js';
import type { Piece } from './agent-runtime.js';
import type { ImmediateTurn } from './immediate-turn.js';
import { TurnAgentService } from './turn-agent.service.js';
import { failedWith, type Turn } from './turn.js';

/** The errors that end a turn, and stand in its reply. */
const SHOWN_FAILURES: ReadonlySet<unknown> = new Set(['AGENT_FAILED', 'QUOTA_EXCEEDED'] satisfies ErrorCode[]);

const CANCELLED: Ending = { reason: 'cancelled' };

/** Produces the reply of a turn: the text of a session command, or what the agent says within the time limit. */
@Injectable()
export class ReplyService {
  constructor(
    private readonly commands: SessionCommandsService,
    private readonly agent: TurnAgentService,
    private readonly clock: Clock,
    private readonly questions: QuestionsService,
    private readonly tools: ToolRegistryService,
  ) {}

  /** Adds the reply to the turn and returns how the turn ends. Rejects with faults other than {@link SHOWN_FAILURES}. */
  async produce(turn: Turn): Promise<Ending> {
    await turn.resume();
    if (turn.signals.stop.aborted) return CANCELLED;
    const { signals, journal } = turn;
    try {
      return await this.answer(turn);
    } catch (error) {
      if (signals.stop.aborted) return CANCELLED;
      if (!(error instanceof GatewayError) || !SHOWN_FAILURES.has(error.code)) throw error;
      turn.endPartial();
      // Not every client shows the `stream_end`, so the failure is also a block of the reply. A job reports its own failures.
      if (!readFiring(turn.message)) turn.addBlock('status', error.message);
      return { ...failedWith(GatewayError.from(error)), ...journal.sumUsage() };
    }
  }

  /** Writes the end of the turn. No question that it has asked is answered afterwards. @throws LeaseLostError */
  async end(turn: Turn, ending: Ending): Promise<Ending> {
    const { journal, session, signals } = turn;
    const asking = journal.listCalls(({ tool }) => this.tools.find(tool)?.isWaiting === true);
    // A turn that is run again still needs the answers.
    if (asking.length > 0 && !signals.abandon.aborted) await this.questions.withdraw(session, asking);
    return turn.end(ending);
  }

  /** Returns the whole reply to a message that the agent answers at once, on its first run; else undefined. */
  produceNow({ claim, agent }: ImmediateTurn): readonly Piece[] | undefined {
    const { message, session, attempt } = claim;
    if (attempt > 1 || !agent) return undefined;
    const command = readCommand(message, agent.name);
    if ((command && this.commands.has(command)) || readFiring(message)?.is_notice) return undefined;
    return this.agent.answerNow({ message, session, agent, ...(command && { command }) });
  }

  private async answer(turn: Turn): Promise<Ending> {
    if (readFiring(turn.message)?.is_notice) {
      turn.addBlock('status', turn.message.payload.content);
      return { reason: 'stop' };
    }
    const command = readCommand(turn.message, turn.agent.name);
    const text = command && (await this.commands.run(command, turn.message, turn.session));
    if (text === undefined) return this.askAgent(turn, command);
    turn.addBlock('status', text);
    return { reason: 'stop' };
  }

  private async askAgent(turn: Turn, command: Command | undefined): Promise<Ending> {
    const { signals, journal, agent } = turn;
    const timeoutMs = readFiring(turn.message)?.timeout_ms ?? agent.turnTimeoutMs;
    await this.agent.prepare(turn);
    const cancelTimer = this.clock.setTimer(timeoutMs, () => signals.timeOut());
    try {
      await this.agent.run(turn, command);
      if (signals.isTimedOut) throw new GatewayError('AGENT_FAILED', { reason: `no answer within ${timeoutMs} ms` });
      if (signals.stop.aborted) return CANCELLED;
      turn.endText();
      return { reason: 'stop', ...journal.sumUsage() };
    } finally {
      cancelTimer();
    }
  }
}
