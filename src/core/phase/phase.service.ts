import { Injectable } from '@nestjs/common';
import { Clock } from '../time/clock.js';

/**
 * The phase of the gateway's life. `live`: it listens but does not accept work yet. `draining`: it finishes its work
 * and accepts nothing new.
 */
export type Phase = 'starting' | 'live' | 'ready' | 'draining' | 'stopped';

/** Holds the phase of this process. The start and the stop set it; probes, upgrades and the intake read it. */
@Injectable()
export class PhaseService {
  private current: Phase = 'starting';
  private readonly startedAt: number;

  constructor(private readonly clock: Clock) {
    this.startedAt = clock.elapsed();
  }

  get phase(): Phase {
    return this.current;
  }

  moveTo(phase: Phase): void {
    this.current = phase;
  }

  get isDraining(): boolean {
    return this.current === 'draining' || this.current === 'stopped';
  }

  get uptimeMs(): number {
    return this.clock.elapsed() - this.startedAt;
  }
}
