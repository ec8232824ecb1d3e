import { Injectable } from '@nestjs/common';
import type { EndReason } from '../../protocol/domain.js';
import type { Claim } from '../store/index.js';
import { countEach, Metrics, type Counter, type Histogram } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';

const OUTCOMES = ['stop', 'cancelled', 'error', 'merged', 'given_back'] as const satisfies readonly (
  | EndReason
  | 'given_back'
)[];

/** The outcome of a run. `given_back`: it has no end, and the message is run again. */
export type RunOutcome = (typeof OUTCOMES)[number];

/** Counts the runs of turns and measures them. */
@Injectable()
export class TurnMetricsService {
  private readonly outcomes: Readonly<Record<RunOutcome, Counter>>;
  private readonly leasesLost: Counter;
  private readonly turnSeconds: Histogram;
  private readonly waitSeconds: Histogram;

  constructor(
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    this.outcomes = countEach(metrics, {
      name: 'openclaw_turns_total',
      help: 'Runs of turns, by how they ended; a run that was given back is repeated.',
      label: 'outcome',
      values: OUTCOMES,
    });
    this.leasesLost = metrics
      .counter({
        name: 'openclaw_leases_lost_total',
        help: 'Runs that stopped because this replica lost its right to the session.',
      })
      .with({});
    this.turnSeconds = metrics
      .histogram({
        name: 'openclaw_turn_seconds',
        help: 'Duration of turns from the claim of the message to its end, of runs that were not given back.',
        buckets: [0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200],
      })
      .with({});
    this.waitSeconds = metrics
      .histogram({
        name: 'openclaw_queue_wait_seconds',
        help: 'Time from the receipt of a message to the first claim.',
        buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600],
      })
      .with({});
  }

  /** Notes the end of a run. @param startedAt {@link Clock.elapsed} at its start */
  note({ message, attempt }: Claim, outcome: RunOutcome, startedAt: number): void {
    this.outcomes[outcome].add();
    const seconds = (this.clock.elapsed() - startedAt) / 1_000;
    if (outcome !== 'given_back') this.turnSeconds.observe(seconds);
    // The wall clock may have been set meanwhile.
    if (attempt === 1) this.waitSeconds.observe(Math.max(0, (this.clock.now() - message.receivedAt) / 1_000 - seconds));
  }

  noteLostLease(): void {
    this.leasesLost.add();
  }
}
