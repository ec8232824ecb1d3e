import { describe, expect, it } from 'vitest';
import { layOut, sumUsage, type Step } from './turn-bar.js';

const shares = (steps: readonly Step[], now = 0) =>
  layOut(steps, now).map(({ step, share, isCut }) => [step.kind, Math.round(share), isCut]);

describe('the bar of a turn', () => {
  it('gives each step its part of the time, in the order of their beginnings', () => {
    const steps: Step[] = [
      { kind: 'tool', started_at: 6_000, ended_at: 10_000, tool: 'time.now' },
      { kind: 'wait', started_at: 0, ended_at: 1_000 },
      { kind: 'model', started_at: 1_000, ended_at: 6_000 },
    ];
    expect(shares(steps)).toEqual([
      ['wait', 10, false],
      ['model', 50, false],
      ['tool', 40, false],
    ]);
  });

  it('gives the wait in the queue at most 15 per cent, and marks that it was longer', () => {
    const steps: Step[] = [
      { kind: 'wait', started_at: 0, ended_at: 3_600_000 },
      { kind: 'model', started_at: 3_600_000, ended_at: 3_608_500 },
    ];
    expect(shares(steps)).toEqual([
      ['wait', 15, true],
      ['model', 85, false],
    ]);
  });

  it('shows a wait that goes on whole, up to now', () => {
    const [segment] = layOut([{ kind: 'wait', started_at: 1_000 }], 5_000);
    expect(segment).toMatchObject({ share: 100, durationMs: 4_000, isRunning: true, isCut: false });
  });

  it('leaves every step in sight, and puts one that overlaps behind the one before', () => {
    const steps: Step[] = [
      { kind: 'model', started_at: 0, ended_at: 100_000 },
      { kind: 'tool', started_at: 100_000, ended_at: 200_000 },
      { kind: 'tool', started_at: 100_000, ended_at: 150_000 },
      { kind: 'delivery', started_at: 200_000 },
    ];
    const drawn = layOut(steps, 0);
    expect(drawn.map(({ durationMs }) => durationMs)).toEqual([100_000, 100_000, 50_000, 0]);
    expect(drawn.every(({ share }) => share > 1)).toBe(true);
    expect(Math.round(drawn.reduce((sum, { share }) => sum + share, 0))).toBe(100);
  });

  it('sums the tokens of the model', () => {
    expect(sumUsage([{ kind: 'wait', started_at: 0 }])).toBeUndefined();
    const model = { kind: 'model', started_at: 0, usage: { input_tokens: 600, output_tokens: 5 } } as const;
    expect(sumUsage([model, model])).toEqual({ input_tokens: 1_200, output_tokens: 10 });
  });
});
