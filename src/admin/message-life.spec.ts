import { describe, expect, it } from 'vitest';
import type { MessageLife } from '../core/store/index.js';
import { listSteps } from './message-life.js';

const life = {
  message: { receivedAt: 1_000 },
  frames: [],
  steps: [],
  approvals: [],
  parts: [],
} as unknown as MessageLife;

describe('the life of a message without a frame', () => {
  it('is a wait while it has no turn', () => {
    expect(listSteps(life)).toEqual([{ kind: 'wait', startedAt: 1_000 }]);
  });

  it('is a wait that has ended, and a model that works, while its turn runs', () => {
    expect(listSteps(life, 3_000)).toEqual([
      { kind: 'wait', startedAt: 1_000, endedAt: 3_000 },
      { kind: 'model', startedAt: 3_000 },
    ]);
  });
});
