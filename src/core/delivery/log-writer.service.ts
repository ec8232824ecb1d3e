import { Injectable } from '@nestjs/common';
import {
  QueueStore,
  TurnStore,
  type CancelOutcome,
  type CancelSelector,
  type Done,
  type DurableFrame,
  type JoinOutcome,
  type JoinWrite,
  type Lease,
  type TurnEnd,
  type TurnWrite,
  type WriteOutcome,
} from '../store/index.js';
import { Clock } from '../time/clock.js';
import { DeliveryService } from './delivery.service.js';

/**
 * Commits frames to the logs of sessions, then sends them to their readers. All methods reject with GatewayError
 * STORE_UNAVAILABLE when the store cannot commit; then nothing was sent.
 */
@Injectable()
export class LogWriterService {
  constructor(
    private readonly turns: TurnStore,
    private readonly messages: QueueStore,
    private readonly delivery: DeliveryService,
    private readonly clock: Clock,
  ) {}

  /** Commits a part of a running turn. */
  async append(lease: Lease, write: TurnWrite): Promise<WriteOutcome> {
    return this.send(await this.turns.append(lease, write));
  }

  /** Commits that waiting messages join a running turn. */
  async join(lease: Lease, write: JoinWrite): Promise<JoinOutcome> {
    return this.send(await this.turns.join(lease, write));
  }

  /** Commits the end of a turn. */
  async finish(lease: Lease, end: TurnEnd): Promise<WriteOutcome> {
    return this.send(await this.turns.finish(lease, end));
  }

  /** Commits the end of a turn and calls back; `beforeSend` runs between the commit and the sending of its frames. */
  finishThen(lease: Lease, end: TurnEnd, beforeSend: () => void, done: Done<WriteOutcome>): void {
    this.turns.finishThen(lease, end, (outcome) => {
      if (!(outcome instanceof Error) && outcome.kind === 'written') {
        beforeSend();
        this.delivery.publish(outcome.frames);
      }
      done(outcome);
    });
  }

  /** Cancels messages: commits the end of those that wait, and marks those that run. @param actor for the audit trail */
  async cancel(selector: CancelSelector, actor?: string): Promise<CancelOutcome | undefined> {
    const outcome = await this.messages.cancel(selector, this.clock.now(), actor);
    if (outcome && outcome.ended.length > 0) this.publish(outcome.ended);
    return outcome;
  }

  /** Sends frames that another commit has written to the log of their session. */
  publish(frames: readonly DurableFrame[]): void {
    this.delivery.publish(frames);
  }

  private send<O extends WriteOutcome | JoinOutcome>(outcome: O): O {
    if (outcome.kind === 'written') this.publish(outcome.frames);
    return outcome;
  }
}
