import { Injectable } from '@nestjs/common';
import type { Command } from '../sessions/activation.js';
import { readQuestion } from '../questions/question.js';
import { TurnStore } from '../store/index.js';
import { ToolRegistryService } from '../tools/tool-registry.service.js';
import {
  AgentRuntime,
  type AgentEvent,
  type Answer,
  type AgentTurn,
  type Piece,
  type TurnSubject,
} from './agent-runtime.js';
import { JoiningService } from './joining.service.js';
import { MediaSource } from './media-source.js';
import { ToolCallsService } from './tool-calls.service.js';
import { TurnMeterService } from './turn-meter.service.js';
import type { Turn } from './turn.js';

/**
 * Maximum time for which the events of one turn are taken without yielding to the event loop, in milliseconds. In the same
 * iteration of the loop, what the last stretch has produced is written and sent.
 */
const MAX_STRETCH_MS = 0.5;

/** Runs the agent for a turn. */
@Injectable()
export class TurnAgentService {
  // oxlint-disable-next-line max-params -- what an agent asks of the gateway, each its own service
  constructor(
    private readonly runtime: AgentRuntime,
    private readonly store: TurnStore,
    private readonly tools: ToolRegistryService,
    private readonly toolCalls: ToolCallsService,
    private readonly joining: JoiningService,
    private readonly media: MediaSource,
    private readonly meter: TurnMeterService,
  ) {}

  /**
   * Waits until what the agent may use at first is held back. {@link run} gives it back.
   * @throws GatewayError QUOTA_EXCEEDED
   */
  prepare(turn: Turn): Promise<void> {
    return this.meter.hold(turn);
  }

  /**
   * Takes the agent's events into the turn. Resolves when the agent has ended, or as soon as its signal aborts: an agent
   * that ignores the signal is not waited for. Rejects with what the agent throws, with QUOTA_EXCEEDED, and with LeaseLostError.
   */
  async run(turn: Turn, command?: Command): Promise<void> {
    const signal = turn.signals.agent;
    await this.tools.sources.whenStarted(signal);
    const events = this.runtime.run(this.describe(turn, command))[Symbol.asyncIterator]();
    let stopWaiting: (() => void) | undefined;
    signal.addEventListener('abort', () => stopWaiting?.(), { once: true });
    let yieldedAt = performance.now();
    try {
      while (!signal.aborted) {
        // The promise is settled when the signal aborts, so a later result or rejection of `next` has no effect.
        const result = await new Promise<IteratorResult<AgentEvent> | undefined>((resolve, reject) => {
          stopWaiting = () => resolve(undefined);
          events.next().then(resolve, reject);
        });
        if (!result || result.done) return;
        const taken = this.take(turn, result.value);
        if (taken) await taken;
        if (performance.now() - yieldedAt < MAX_STRETCH_MS) continue;
        // An agent that never waits must not block the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        await turn.writer.whenRoom();
        yieldedAt = performance.now();
      }
    } finally {
      // Frees the resources of an agent that has not ended. Has no effect on one that has.
      void events.return?.().catch(() => {});
      this.meter.release(turn);
    }
  }

  /** Returns the whole answer to a message if the runtime has it at once and no other message may join. */
  answerNow(turn: TurnSubject): readonly Piece[] | undefined {
    return this.joining.mayJoin(turn) ? undefined : this.runtime.answerNow(turn);
  }

  private describe(turn: Turn, command: Command | undefined): AgentTurn {
    const { message, session, agent, user, journal } = turn;
    return {
      message,
      ...(command && { command }),
      session,
      agent,
      signal: turn.signals.agent,
      trace: turn.trace,
      isSteered: this.joining.isSteered(turn),
      joinedMessages: (n) => this.joining.join(turn, n),
      recordedAnswer: (n) => journal.recordedAnswers[n],
      callTool: (answer, index, call) => this.toolCalls.call(turn, journal.nameCall(answer, index, call)),
      readContext: (limit) => this.store.readContext(message.sessionId, message.messageRef, limit),
      readMedia: (attachment) => this.media.read(attachment, session),
      listTools: () => this.tools.getAvailableTools(user),
      readGuides: (nameOf) => {
        const reader = { ...user, chain: readQuestion(message)?.chain ?? [] };
        return this.tools.getAvailableTools(user).flatMap(({ name, guide }) => guide?.(reader, nameOf(name)) ?? []);
      },
    };
  }

  /** Takes an event into the turn. Returns a promise only if the next event must wait. */
  private take(turn: Turn, event: AgentEvent): void | Promise<void> {
    switch (event.type) {
      case 'text':
        return turn.addText(event.text);
      case 'piece':
        return turn.addPiece(event.piece);
      case 'answer':
        return this.takeAnswer(turn, event.answer, event.isLast ?? false);
      case 'restart_answer':
        return turn.restartAnswer();
    }
  }

  private async takeAnswer(turn: Turn, answer: Answer, isLast: boolean): Promise<void> {
    await turn.recordAnswer(answer, isLast, this.meter.measure(turn, answer));
    if (!isLast) await this.meter.hold(turn);
  }
}
