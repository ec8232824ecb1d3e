import type { Api } from '../api.js';
import type { LiveEvent } from '../live.js';

/** A turn that runs, as `GET /turns` lists it. */
export interface TurnRow {
  readonly message_ref: string;
  readonly session_id: string;
  readonly channel: string;
  readonly sender: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly step: 'model' | 'tool' | 'approval';
  readonly tool?: string;
}

interface QueuedRow {
  readonly session_id: string;
}

/** Time after which a turn counts as slow, in milliseconds. */
export const SLOW_MS = 60_000;

/** Most turns and waiting messages that are looked at. */
const LIMIT = 200;

/** Returns the state of a turn for people. */
export function stateOfTurn({ step, since }: Pick<TurnRow, 'step' | 'since'>, now: number): string {
  if (step === 'approval') return 'approval';
  return now - since > SLOW_MS ? 'slow' : 'running';
}

/** The activity of conversations now: the running turn of each, and the number of waiting messages. */
export class Activity {
  private constructor(
    private readonly turns: ReadonlyMap<string, TurnRow>,
    private readonly waiting: ReadonlyMap<string, number>,
  ) {}

  static readonly none = new Activity(new Map(), new Map());

  /** Reads it from the gateway. @throws ApiError */
  static async read(api: Api, signal?: AbortSignal): Promise<Activity> {
    const [turns, queue] = await Promise.all([
      api.page<TurnRow>('/turns', { limit: LIMIT }, undefined, signal),
      api.page<QueuedRow>('/queue', { limit: LIMIT }, undefined, signal),
    ]);
    const waiting = new Map<string, number>();
    for (const { session_id } of queue.items) waiting.set(session_id, (waiting.get(session_id) ?? 0) + 1);
    return new Activity(new Map(turns.items.map((turn) => [turn.session_id, turn])), waiting);
  }

  countWaiting(sessionId: string): number {
    return this.waiting.get(sessionId) ?? 0;
  }

  stateOf(sessionId: string, now: number): string {
    const turn = this.turns.get(sessionId);
    if (turn) return stateOfTurn(turn, now);
    return this.countWaiting(sessionId) > 0 ? 'waiting' : 'idle';
  }
}

/** Returns the conversation that an event is about. */
export function sessionOf({ row }: LiveEvent): string | undefined {
  const { session_id: id } = row;
  return typeof id === 'string' ? id : undefined;
}
