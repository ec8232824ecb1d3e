import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthCheckAttempt, type HealthIndicatorResult } from '@nestjs/terminus';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import { QueueStore, Store } from '../core/store/index.js';

/** A check that takes longer counts as down, in milliseconds. Kubelet waits one second for a probe. */
export const CHECK_TIMEOUT_MS = 800;

/**
 * Time for which a check result is cached, in milliseconds: the probes are public, and each check of the store is a
 * commit.
 */
const CHECK_CACHE_MS = 1_000;

/**
 * The indicators of the probes and of `/health`. Each reports up or down, without details that only an operator may
 * read.
 */
@Injectable()
export class HealthIndicators {
  // oxlint-disable-next-line max-params -- one for each part that is examined
  constructor(
    private readonly indicator: HealthIndicatorService,
    private readonly lifecycle: PhaseService,
    private readonly store: Store,
    private readonly queue: QueueStore,
    private readonly config: ConfigStoreService,
    private readonly channels: ChannelManagerService,
    private readonly reach: ReachService,
    private readonly budget: MemoryBudgetService,
  ) {}

  /** Up unless the process has stopped serving: only a fault that a restart can repair makes it down. */
  alive(): HealthIndicatorResult {
    return this.reportPhase(this.lifecycle.phase !== 'stopped' && !this.store.isDead);
  }

  /** Up once the start is complete, permanently. */
  started(): HealthIndicatorResult {
    const { phase } = this.lifecycle;
    return this.reportPhase(phase !== 'starting' && phase !== 'live');
  }

  /** Up while the gateway accepts messages; down as soon as a drain starts. */
  takesMessages(): HealthIndicatorResult {
    return this.reportPhase(this.lifecycle.phase === 'ready');
  }

  /** Up while the store can commit. */
  storeCommits(): HealthCheckAttempt {
    return this.attempt('store', 'the store cannot commit', () => this.store.check());
  }

  /** Up while the queue has room. */
  queueHasRoom(): HealthCheckAttempt {
    return this.attempt('queue', 'the queue is full, or cannot be asked', async () => {
      const { queued, running } = await this.queue.countQueue(0);
      if (queued + running >= this.config.get('queue.max_total')) throw new Error('full');
    });
  }

  /** Up unless a connection or an HTTP exchange has reached its share of the memory within the last minute. */
  memoryHasRoom(): HealthIndicatorResult {
    const session = this.indicator.check('memory');
    return this.budget.wasReached ? session.down('the limit of buffered bytes was reached') : session.up();
  }

  /** Up while each channel works, or was cut off only now, and no reply was given up. */
  channelsDeliver(): HealthCheckAttempt {
    return this.attempt('channels', 'a channel is not connected, or has dead letters', async () => {
      if (this.channels.isBroken) throw new Error('not connected');
      if (Object.keys(await this.channels.countDeadLetters()).length > 0) throw new Error('dead letters');
    });
  }

  /** Up unless the gateway should be exposed and is not. */
  isReachable(): HealthIndicatorResult {
    const session = this.indicator.check('reach');
    return this.reach.problem === undefined ? session.up() : session.down();
  }

  private reportPhase(isUp: boolean): HealthIndicatorResult {
    const session = this.indicator.check('lifecycle');
    const { phase } = this.lifecycle;
    return isUp ? session.up({ phase }) : session.down({ phase });
  }

  private attempt(name: string, message: string, check: () => Promise<void>): HealthCheckAttempt {
    const run = () =>
      check().catch((error: unknown) => {
        throw new Error(message, { cause: error });
      });
    return this.indicator.check(name).attempt(run).withTimeout(CHECK_TIMEOUT_MS).cacheFor(CHECK_CACHE_MS);
  }
}
