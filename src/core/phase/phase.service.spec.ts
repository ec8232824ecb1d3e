import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { PhaseService } from './phase.service.js';

it.each([86_400_000, -86_400_000])(
  '[N-01] the uptime is what passed since the start, also after a step of %d ms',
  (ms) => {
    const clock = new ManualClock();
    const phase = new PhaseService(clock);
    clock.advance(3_000);
    clock.setWallTime(ms);
    expect(phase.uptimeMs).toBe(3_000);
  },
);
