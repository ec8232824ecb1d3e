import type { DurableFrame, MessageLife } from '../core/store/index.js';
import type { StreamBlockPayload, ToolStatusPayload, Usage } from '../protocol/index.js';

/** A part of the life of a message. Times are Unix milliseconds; without `endedAt` it goes on, or its end is not known. */
export interface LifeStep {
  readonly kind: 'wait' | 'model' | 'tool' | 'approval' | 'delivery';
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly tool?: string;
  /** Who has decided. */
  readonly decidedBy?: string;
  /** Tokens that the model has used for this answer. */
  readonly usage?: Usage;
}

type Draft = { -readonly [F in keyof LifeStep]: LifeStep[F] };

/** The states of a call after which it goes no further. */
const ENDS: ReadonlySet<ToolStatusPayload['status']> = new Set([
  'succeeded',
  'failed',
  'denied',
  'timed_out',
  'unknown',
]);

/**
 * Returns the steps of a message, from what its log shows: the wait for its turn, then the model's answers, the decisions and
 * the tool calls between them, then the parts that a channel sends.
 * @param runningSince when its turn has begun, if it runs on this replica: a model that has said nothing yet is in no log
 */
export function listSteps(
  { message, frames, steps, approvals, parts }: MessageLife,
  runningSince?: number,
): readonly LifeStep[] {
  const [first] = frames;
  const wait: Draft = { kind: 'wait', startedAt: message.receivedAt };
  if (!first) {
    if (runningSince === undefined) return [wait, ...parts.map(toDelivery)];
    return [
      { ...wait, endedAt: runningSince },
      { kind: 'model', startedAt: runningSince },
    ];
  }
  wait.endedAt = first.timestamp;
  const reading = new Reading(first.timestamp);
  for (const frame of frames) reading.take(frame);
  const usages = steps.flatMap(({ kind, body }) =>
    kind === 'answer' ? [(JSON.parse(body) as { readonly usage?: Usage }).usage] : [],
  );
  const deciders = new Map(approvals.map(({ callId, decidedBy }) => [callId, decidedBy]));
  return [wait, ...reading.finish(usages, deciders), ...parts.map(toDelivery)];
}

/** Returns the number of runs that a message had, as far as the log shows it. */
export function countAttempts({ attempt, frames, message }: MessageLife): number {
  const shown = frames.map(({ type, payload }) =>
    type === 'stream_block' || type === 'stream_restart' ? (JSON.parse(payload) as StreamBlockPayload).attempt : 0,
  );
  return attempt ?? Math.max(message.reply && message.reply.reason !== 'cancelled' ? 1 : 0, ...shown);
}

/** Follows the log of a message: what is shown belongs to the model unless a call is under way. */
class Reading {
  private readonly done: { readonly step: Draft; readonly callId?: string }[] = [];
  private readonly calls = new Map<string, Draft>();
  private model: Draft | undefined;

  constructor(startedAt: number) {
    this.model = { kind: 'model', startedAt };
  }

  take({ type, payload, timestamp }: DurableFrame): void {
    if (type === 'tool_status') return this.takeCall(JSON.parse(payload) as ToolStatusPayload, timestamp);
    if (type === 'stream_end') this.endModel(timestamp);
  }

  /** Returns the steps in the order of their beginnings. */
  finish(usages: readonly (Usage | undefined)[], deciders: ReadonlyMap<string, string | undefined>): LifeStep[] {
    if (this.model) this.done.push({ step: this.model });
    let answer = 0;
    for (const { step, callId } of this.done) {
      const usage = step.kind === 'model' ? usages[answer++] : undefined;
      if (usage) step.usage = usage;
      const decidedBy = step.kind === 'approval' && callId !== undefined ? deciders.get(callId) : undefined;
      if (decidedBy !== undefined) step.decidedBy = decidedBy;
    }
    return this.done.map(({ step }) => step).toSorted((a, b) => a.startedAt - b.startedAt);
  }

  private takeCall({ call_id: callId, tool, status }: ToolStatusPayload, timestamp: number): void {
    this.endModel(timestamp);
    const open = this.calls.get(callId);
    const kind = status === 'awaiting_approval' ? 'approval' : 'tool';
    if (open && (open.kind !== kind || ENDS.has(status))) {
      open.endedAt = timestamp;
      this.calls.delete(callId);
    }
    if (!ENDS.has(status) && !this.calls.has(callId) && status !== 'requested') {
      const step: Draft = { kind, startedAt: timestamp, tool };
      this.calls.set(callId, step);
      this.done.push({ step, callId });
    }
    if (this.calls.size === 0 && ENDS.has(status)) this.model = { kind: 'model', startedAt: timestamp };
  }

  private endModel(timestamp: number): void {
    if (!this.model) return;
    this.done.push({ step: { ...this.model, endedAt: timestamp } });
    this.model = undefined;
  }
}

function toDelivery({ createdAt }: MessageLife['parts'][number]): LifeStep {
  return { kind: 'delivery', startedAt: createdAt };
}
