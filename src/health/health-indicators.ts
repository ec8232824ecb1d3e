import { getHeapStatistics } from 'node:v8';
import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthCheckAttempt, type HealthIndicatorResult } from '@nestjs/terminus';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { AgentsService } from '../core/agents/agents.service.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { LastBackupService } from '../core/housekeeping/last-backup.service.js';
import { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import { QueueStore, Store } from '../core/store/index.js';
import { AgentRuntime } from '../core/turns/agent-runtime.js';
import { LoopDelay } from './loop-delay.service.js';
import { StoreDisk } from './store-disk.js';

/** A check that takes longer counts as down, in milliseconds. Kubelet waits one second for a probe. */
export const CHECK_TIMEOUT_MS = 800;

/**
 * Time for which a check result is cached, in milliseconds: the probes are public, and each check of the store is a
 * commit.
 */
const CHECK_CACHE_MS = 1_000;

/** Share of the heap above which memory is short: the process ends when it is used up. */
const MAX_HEAP_SHARE = 0.9;

/**
 * The indicators of the probes and of `/health`. Each reports up, or down with a sentence for operators. Those of the probes,
 * `lifecycle` and `store`, say nothing that only an operator may read.
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
    private readonly agents: AgentsService,
    private readonly runtime: AgentRuntime,
    private readonly loop: LoopDelay,
    private readonly disk: StoreDisk,
    private readonly backup: LastBackupService,
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
    return this.attempt('store', 'the store cannot commit', () => this.store.check().then(() => undefined));
  }

  /** Up while the queue has room. */
  queueHasRoom(): HealthCheckAttempt {
    return this.attempt('queue', 'the queue cannot be read', async () => {
      const { queued, running } = await this.queue.countQueue(0);
      return queued + running >= this.config.get('queue.max_total') ? 'the queue is full (queue.max_total)' : undefined;
    });
  }

  /** Up unless the heap is nearly used up, or a holder has reached its share of the memory within the last minute. */
  memoryHasRoom(): HealthIndicatorResult {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const isShort = used > MAX_HEAP_SHARE * limit;
    const reached = this.budget.wasReached ? 'limits.buffered_bytes was reached within the last minute' : undefined;
    return this.report('memory', isShort ? 'the heap is nearly used up' : reached);
  }

  /** Up unless the event loop was blocked for long. */
  eventLoopRuns(): HealthIndicatorResult {
    return this.report('event_loop', this.loop.problem);
  }

  /** Up while the disk of the store has room. */
  diskHasRoom(): HealthCheckAttempt {
    return this.attempt('disk', 'the disk of the store does not respond', () => this.disk.findProblem());
  }

  /** Up unless the last backup is older than the settings allow. */
  backupIsRecent(): HealthIndicatorResult {
    return this.report('backup', this.backup.problem);
  }

  /** Up while each agent has a model that answers, as far as earlier requests show. */
  agentsAnswer(): HealthIndicatorResult {
    const problems = this.agents.list().flatMap((agent) => this.runtime.findProblem(agent) ?? []);
    return this.report('agents', join(problems));
  }

  /** Up while each channel works, or was cut off only now, and no reply was given up. */
  channelsDeliver(): HealthCheckAttempt {
    return this.attempt('channels', 'dead letters cannot be counted', async () => {
      const dead = Object.entries(await this.channels.countDeadLetters());
      return join([
        ...this.channels.listBroken().map((channel) => `the channel ${channel} is not connected`),
        ...dead.map(([channel, count]) => `the channel ${channel} has dead letters: ${count}`),
      ]);
    });
  }

  /** Up unless the gateway should be exposed and is not. */
  isReachable(): HealthIndicatorResult {
    return this.report('reach', this.reach.problem);
  }

  private reportPhase(isUp: boolean): HealthIndicatorResult {
    const session = this.indicator.check('lifecycle');
    const { phase } = this.lifecycle;
    return isUp ? session.up({ phase }) : session.down({ phase });
  }

  private report(name: string, problem: string | undefined): HealthIndicatorResult {
    const session = this.indicator.check(name);
    return problem === undefined ? session.up() : session.down(problem);
  }

  /** @param failed the sentence for a check that fails itself, whose cause its part has logged */
  private attempt(name: string, failed: string, find: () => Promise<string | undefined>): HealthCheckAttempt {
    const run = async () => {
      const problem = await find().catch(() => failed);
      if (problem !== undefined) throw new Error(problem);
    };
    return this.indicator.check(name).attempt(run).withTimeout(CHECK_TIMEOUT_MS).cacheFor(CHECK_CACHE_MS);
  }
}

function join(problems: readonly string[]): string | undefined {
  return problems.length === 0 ? undefined : problems.join('; ');
}
