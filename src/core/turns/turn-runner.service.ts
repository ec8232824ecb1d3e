import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ApprovalsService } from '../approvals/approvals.service.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { PresenceTrackerService } from '../presence/presence-tracker.service.js';
import { MessageQueueService, type StopReason } from '../queue/message-queue.service.js';
import { SessionCommandsService } from '../sessions/session-commands.service.js';
import { TurnStore, type Claim, type Lease, type Reply, type TurnRecord } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { bindEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import { ToolRegistryService } from '../tools/tool-registry.service.js';
import { AgentRuntime } from './agent-runtime.js';
import { MediaSource } from './media-source.js';
import { Turn, type TurnParts } from './turn.js';
import { LeaseLostError } from './turn-writer.js';

const NOTHING_RECORDED: TurnRecord = { steps: [], frames: [] };
/** How soon a turn that could not even be read is tried again, in milliseconds. */
const RETRY_AFTER_MS = 1_000;

const OUTCOMES = ['stop', 'cancelled', 'error', 'merged', 'given_back'] as const;

/** Runs claimed messages: each ends in exactly one `stream_end`, or goes back to the queue. */
@Injectable()
export class TurnRunnerService {
  private readonly log: Log;
  private readonly parts: TurnParts;
  private readonly counted: Readonly<Record<(typeof OUTCOMES)[number], Counter>>;

  constructor(
    private readonly queue: MessageQueueService,
    private readonly store: TurnStore,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly presence: PresenceTrackerService,
    runtime: AgentRuntime,
    delivery: DeliveryService,
    tools: ToolRegistryService,
    approvals: ApprovalsService,
    commands: SessionCommandsService,
    media: MediaSource,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
    const turns = metrics.counter({
      name: 'openclaw_turns_total',
      help: 'Runs of turns, by how they ended; a run that was given back is repeated.',
      labels: ['outcome'],
    });
    this.counted = bindEach(turns, 'outcome', OUTCOMES);
    this.parts = { runtime, store, delivery, tools, approvals, commands, media, config, clock, log: this.log };
  }

  /** Runs the queue's messages. At the stop, running turns finish within `gateway.drain_timeout_ms`. */
  @StartStep({ name: 'run messages', phase: 'run', undoneIn: 'finish', undoneWithinMs: Infinity })
  start(): Undo {
    this.queue.start((claim, signal) => this.run(claim, signal));
    return (hurry) => this.queue.drain(this.config.get('gateway.drain_timeout_ms'), hurry);
  }

  /** Forwards presence changes to the agent. */
  @StartStep({ name: 'forward presence to the agent', phase: 'run' })
  followPresence(): Undo {
    return this.presence.onChange((state) => this.parts.runtime.noticePresence(state));
  }

  /** Consumes one claim of the queue. Never rejects. The signal's reason is a StopReason. */
  async run(claim: Claim, signal: AbortSignal): Promise<void> {
    const fields = {
      message_ref: claim.message.messageRef,
      session_id: claim.message.sessionId,
      attempt: claim.attempt,
    };
    this.log.debug(fields, 'turn started');
    // A cancelled turn still writes its end; one that is lost or drained writes nothing more.
    const giveUp = new AbortController();
    const onStop = () => {
      if ((signal.reason as StopReason) !== 'cancelled') giveUp.abort();
    };
    signal.addEventListener('abort', onStop);
    if (signal.aborted) onStop();
    try {
      const ending = await this.runTurn(claim, signal, giveUp.signal);
      this.counted[ending.reason].add();
      this.log.debug({ ...fields, reason: ending.reason }, 'turn ended');
    } catch (error) {
      this.counted.given_back.add();
      if (giveUp.signal.aborted || error instanceof LeaseLostError) await this.release(claim.lease, signal);
      else {
        this.log.error({ ...fields, error }, 'a turn could not be run; it is tried again');
        await this.release(claim.lease, signal, this.clock.now() + RETRY_AFTER_MS);
      }
    } finally {
      signal.removeEventListener('abort', onStop);
    }
  }

  private async runTurn(claim: Claim, signal: AbortSignal, giveUp: AbortSignal): Promise<Pick<Reply, 'reason'>> {
    const { message, session, interruptions, attempt } = claim;
    const record = attempt === 1 ? NOTHING_RECORDED : await this.store.readTurn(message.messageRef);
    const turn = new Turn(claim, session, record, signal, giveUp, this.parts);
    if (interruptions >= this.config.get('agent.max_attempts') && !signal.aborted) {
      const { code, message: text, retryable } = new GatewayError('TURN_INTERRUPTED', { attempts: interruptions });
      const ending = { reason: 'error', error: { code, message: text, retryable } } as const;
      await turn.end(ending);
      return ending;
    }
    try {
      return await turn.run();
    } catch (error) {
      if (giveUp.aborted || error instanceof LeaseLostError || isTransient(error)) throw error;
      return this.endWithFault(turn, message.messageRef, error);
    }
  }

  /** A fault of the gateway or of a runtime must not leave anybody without an answer. */
  private async endWithFault(turn: Turn, messageRef: string, error: unknown): Promise<Pick<Reply, 'reason'>> {
    const { code, message, retryable, details } = GatewayError.internal(error);
    this.log.error({ error, error_id: details.error_id, message_ref: messageRef }, 'a turn failed unexpectedly');
    const ending = { reason: 'error', error: { code, message, retryable } } as const;
    await turn.end(ending);
    return ending;
  }

  /** Releases a message unless its lease is lost. */
  private async release(lease: Lease, signal: AbortSignal, notBefore?: number): Promise<void> {
    if ((signal.reason as StopReason | undefined) !== 'lease_lost') await this.queue.release(lease, notBefore);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE';
}
