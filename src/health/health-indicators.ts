import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthCheckAttempt, type HealthIndicatorResult } from '@nestjs/terminus';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { QueueStore, Store } from '../core/store/index.js';

/** A part that does not answer within this time is down, in milliseconds. Kubelet waits for a probe for a second. */
export const CHECK_TIMEOUT_MS = 800;

/** How long an answer of the store serves everybody, in milliseconds: the probes are public and each check is a commit. */
export const CHECK_EVERY_MS = 1_000;

/** What the probes and `/health` look at. Each indicator tells up or down, and nothing that only an operator may read. */
@Injectable()
export class HealthIndicators {
  constructor(
    private readonly indicator: HealthIndicatorService,
    private readonly lifecycle: PhaseService,
    private readonly store: Store,
    private readonly queue: QueueStore,
    private readonly config: ConfigStoreService,
  ) {}

  /** Up unless the process has stopped what it is for: nothing that a restart would not mend makes it down. */
  alive(): HealthIndicatorResult {
    return this.tellPhase(this.lifecycle.phase !== 'stopped');
  }

  /** Up once the start is over, and for good. */
  started(): HealthIndicatorResult {
    const { phase } = this.lifecycle;
    return this.tellPhase(phase !== 'starting' && phase !== 'live');
  }

  /** Up while the gateway takes in messages: down from the first moment of a drain. */
  takesMessages(): HealthIndicatorResult {
    return this.tellPhase(this.lifecycle.phase === 'ready');
  }

  /** Up while the store can commit. */
  storeCommits(): HealthCheckAttempt {
    return this.attempt('store', 'the store cannot commit', () => this.store.check());
  }

  /** Up while there is room in the queue. */
  queueHasRoom(): HealthCheckAttempt {
    return this.attempt('queue', 'the queue is full, or cannot be asked', async () => {
      const { queued, running } = await this.queue.countQueue(0);
      if (queued + running >= this.config.get('queue.max_total')) throw new Error('full');
    });
  }

  private tellPhase(isUp: boolean): HealthIndicatorResult {
    const session = this.indicator.check('lifecycle');
    const { phase } = this.lifecycle;
    return isUp ? session.up({ phase }) : session.down({ phase });
  }

  private attempt(name: string, message: string, check: () => Promise<void>): HealthCheckAttempt {
    const run = () =>
      check().catch((error: unknown) => {
        throw new Error(message, { cause: error });
      });
    return this.indicator.check(name).attempt(run).withTimeout(CHECK_TIMEOUT_MS).cacheFor(CHECK_EVERY_MS);
  }
}
