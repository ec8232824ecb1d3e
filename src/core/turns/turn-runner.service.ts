import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { MessageClaimsService, type ClaimConsumer } from '../queue/message-claims.service.js';
import type { Claim, Ending } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import type { Trace } from '../telemetry/traceparent.js';
import { Clock } from '../time/clock.js';
import { ReplyService } from './reply.service.js';
import { RunSignals } from './run-signals.js';
import { TurnFactoryService } from './turn-factory.service.js';
import { TurnMetricsService, type RunOutcome } from './turn-metrics.service.js';
import { endTurnSpan, TurnTracesService } from './turn-traces.service.js';
import { LeaseLostError } from './turn-writer.js';
import { failedWith, type Turn } from './turn.js';

/** Delay before a turn that failed without an end is run again, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** A turn that runs. */
export interface RunningTurn {
  readonly turn: Turn;
  /** Unix milliseconds. */
  readonly since: number;
}

/** The end of a turn, for statistics and live views. */
export interface EndedTurn {
  readonly claim: Claim;
  readonly reason: Ending['reason'];
  /** When its message was received to when its first block was complete, in milliseconds; undefined without a block. */
  readonly firstBlockMs?: number | undefined;
}

type EndListener = (ended: EndedTurn) => void;

/** Runs claimed messages: each ends in exactly one `stream_end`, or returns to the queue. */
@Injectable()
export class TurnRunnerService implements ClaimConsumer {
  private readonly log: Log;
  /** Those of this replica. */
  private readonly runs = new Set<RunningTurn>();
  private readonly startListeners: ((run: RunningTurn) => void)[] = [];
  private readonly endListeners: EndListener[] = [];

  // oxlint-disable-next-line max-params -- what a run needs on its way, each from its own service
  constructor(
    private readonly claims: MessageClaimsService,
    private readonly turns: TurnFactoryService,
    private readonly replies: ReplyService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly metrics: TurnMetricsService,
    private readonly traces: TurnTracesService,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  /** Runs the queue's messages. At the stop, running turns finish within `gateway.drain_timeout_ms`. */
  @StartStep({ name: 'run messages', phase: 'run', undoneIn: 'finish', undoneWithinMs: Infinity })
  start(): Undo {
    this.claims.start(this);
    return (hurry) => this.claims.drain(this.config.get('gateway.drain_timeout_ms'), hurry);
  }

  /** The turns that run on this replica, in no particular order. */
  listRunning(): Iterable<RunningTurn> {
    return this.runs;
  }

  /** Calls a listener at the start of each run of this replica, but not of a reply that ends at once. It must not throw. */
  onStart(listener: (run: RunningTurn) => void): void {
    this.startListeners.push(listener);
  }

  /** Calls a listener at the end of each turn of this replica. It must not throw. */
  onEnd(listener: EndListener): void {
    this.endListeners.push(listener);
  }

  private noteEnd(ended: EndedTurn): void {
    for (const listener of this.endListeners) listener(ended);
  }

  /** Ends a claimed message that its runtime answers at once. After an error a run answers it, and reports the error. */
  endNow(claim: Claim, done: (hasEnded: boolean) => void): boolean {
    const startedAt = this.clock.elapsed();
    try {
      const turn = this.turns.createImmediate(claim);
      const pieces = this.replies.produceNow(turn);
      if (!pieces) return false;
      const span = this.traces.start(claim);
      turn.end(pieces, (outcome) => {
        if (outcome instanceof Error) {
          endTurnSpan(span, 'given_back');
          return done(false);
        }
        const { message, attempt } = claim;
        const reason = outcome.kind === 'written' ? 'stop' : 'given_back';
        this.metrics.note(claim, reason, startedAt);
        endTurnSpan(span, reason);
        if (reason === 'stop') this.noteEnd({ claim, reason, firstBlockMs: this.clock.now() - message.receivedAt });
        if (this.log.isEnabled('debug')) {
          const fields = { message_ref: message.messageRef, session_id: message.sessionId, attempt, reason };
          this.log.debug(fields, 'turn ended at once');
        }
        done(true);
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Runs one claimed message. Never rejects. The reason of `stop` is a StopReason. */
  async run(claim: Claim, stop: AbortSignal): Promise<void> {
    const { message, attempt, lease } = claim;
    const fields = { message_ref: message.messageRef, session_id: message.sessionId, attempt };
    this.log.debug(fields, 'turn started');
    const startedAt = this.clock.elapsed();
    const signals = new RunSignals(stop);
    const span = this.traces.start(claim);
    let outcome: RunOutcome = 'given_back';
    try {
      const { reason } = await this.runTurn(claim, signals, span.trace);
      outcome = reason;
      this.log.debug({ ...fields, reason }, 'turn ended');
    } catch (error) {
      if (signals.isLeaseLost || error instanceof LeaseLostError) this.metrics.noteLostLease();
      const isExpected = signals.abandon.aborted || error instanceof LeaseLostError;
      if (!isExpected) this.log.error({ ...fields, error }, 'a turn could not be run; it is tried again');
      if (!signals.isLeaseLost) await this.claims.release(lease, isExpected ? 0 : RETRY_DELAY_MS);
    } finally {
      this.metrics.note(claim, outcome, startedAt);
      endTurnSpan(span, outcome);
      signals.dispose();
    }
  }

  /** Runs a turn to its end. Rejects when it has to return to the queue. */
  private async runTurn(claim: Claim, signals: RunSignals, trace: Trace | undefined): Promise<Ending> {
    const { interruptions: attempts } = claim;
    const turn = await this.turns.create(claim, signals, trace);
    const running = { turn, since: this.clock.now() };
    this.runs.add(running);
    for (const listener of this.startListeners) listener(running);
    try {
      const ending = await this.finishTurn(turn, attempts);
      const { firstBlockAt, message } = turn;
      const firstBlockMs = firstBlockAt === undefined ? undefined : firstBlockAt - message.receivedAt;
      this.noteEnd({ claim, reason: ending.reason, firstBlockMs });
      return ending;
    } finally {
      this.runs.delete(running);
    }
  }

  private async finishTurn(turn: Turn, attempts: number): Promise<Ending> {
    const { signals } = turn;
    if (attempts >= this.config.get('agent.max_attempts') && !signals.stop.aborted) {
      return this.replies.end(turn, failedWith(new GatewayError('TURN_INTERRUPTED', { attempts })));
    }
    try {
      return await this.replies.end(turn, await this.replies.produce(turn));
    } catch (error) {
      if (signals.abandon.aborted || error instanceof LeaseLostError || isTransient(error)) throw error;
      // A fault of the gateway or of a runtime must not leave the message without an end.
      const failure = GatewayError.internal(error);
      const fields = { error, error_id: failure.details.error_id, message_ref: turn.message.messageRef };
      this.log.error(fields, 'a turn failed unexpectedly');
      return this.replies.end(turn, failedWith(failure));
    }
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE';
}
