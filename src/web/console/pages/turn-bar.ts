/** A step of a message, as `GET /messages/REF` lists it. Times are in Unix milliseconds. */
export interface Step {
  readonly kind: 'wait' | 'model' | 'tool' | 'approval' | 'delivery';
  readonly started_at: number;
  /** Absent while it goes on, and of a delivery. */
  readonly ended_at?: number;
  readonly tool?: string;
  readonly decided_by?: string;
  readonly usage?: Usage;
}

/** Tokens that a model has used. */
export interface Usage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
}

/** A piece of the bar of a turn. */
export interface Segment {
  readonly step: Step;
  /** In milliseconds. */
  readonly durationMs: number;
  /** Its part of the bar, in per cent. */
  readonly share: number;
  readonly isRunning: boolean;
  /** True if it took longer than its share says: the wait of a queue may be hours. */
  readonly isCut: boolean;
}

/** Most of the bar that the wait in the queue takes, and least of it that any step takes. */
const MAX_WAIT_SHARE = 0.15;
const MIN_SHARE = 0.015;

/**
 * Lays the steps of a turn out on a bar, in the order of their beginnings, which never changes. Where steps overlap, the later one
 * begins behind the earlier one. @param now in Unix milliseconds
 */
export function layOut(steps: readonly Step[], now: number): readonly Segment[] {
  const ordered = [...steps].sort((a, b) => a.started_at - b.started_at);
  let reached = 0;
  const pieces = ordered.map((step) => {
    const isRunning = step.ended_at === undefined && step.kind !== 'delivery';
    const end = step.ended_at ?? (isRunning ? now : step.started_at);
    const length = Math.max(0, end - Math.max(step.started_at, reached));
    reached = Math.max(reached, end);
    return { step, isRunning, length, durationMs: Math.max(0, end - step.started_at) };
  });
  const work = sum(pieces.filter(({ step }) => step.kind !== 'wait').map(({ length }) => length));
  const maxWait = work === 0 ? Number.POSITIVE_INFINITY : (work * MAX_WAIT_SHARE) / (1 - MAX_WAIT_SHARE);
  const cut = pieces.map((piece) => {
    const isCut = piece.step.kind === 'wait' && piece.length > maxWait;
    return { ...piece, isCut, length: isCut ? maxWait : piece.length };
  });
  const least = Math.max(1, sum(cut.map(({ length }) => length))) * MIN_SHARE;
  const drawn = cut.map((piece) => ({ ...piece, length: Math.max(least, piece.length) }));
  const whole = sum(drawn.map(({ length }) => length));
  return drawn.map(({ step, isRunning, isCut, durationMs, length }) => ({
    step,
    isRunning,
    isCut,
    durationMs,
    share: (length / whole) * 100,
  }));
}

/** Returns the tokens that all steps have used. */
export function sumUsage(steps: readonly Step[]): Required<Usage> | undefined {
  const usages = steps.flatMap(({ usage }) => (usage ? [usage] : []));
  if (usages.length === 0) return undefined;
  return {
    input_tokens: sum(usages.map(({ input_tokens: count = 0 }) => count)),
    output_tokens: sum(usages.map(({ output_tokens: count = 0 }) => count)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
