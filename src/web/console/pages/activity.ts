import type { Api } from '../api.js';
import type { LiveEvent } from '../live.js';
import type { ListedSessionRow } from './session-row.js';

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

/** Time after which a turn counts as slow, in milliseconds. */
export const SLOW_MS = 60_000;

/** Most turns whose step is shown. */
const MAX_TURNS = 200;

/** Returns the state of a turn for people. */
export function stateOfTurn({ step, since }: Pick<TurnRow, 'step' | 'since'>, now: number): string {
  if (step === 'approval') return 'approval';
  return now - since > SLOW_MS ? 'slow' : 'running';
}

/** Turns that run, by conversation. A gateway lists those of one replica only. */
export type Turns = ReadonlyMap<string, TurnRow>;

/** Reads turns that run, for the steps at which they are. @throws ApiError */
export async function readTurns(api: Api, signal?: AbortSignal): Promise<Turns> {
  const { items } = await api.page<TurnRow>('/turns', { limit: MAX_TURNS }, undefined, signal);
  return new Map(items.map((turn) => [turn.session_id, turn]));
}

/** Returns the state of a conversation for people. @param turn that which runs in it, if its step is known */
export function stateOfSession(
  { waiting, running_ref: ref }: Pick<ListedSessionRow, 'waiting' | 'running_ref'>,
  turn: TurnRow | undefined,
  now: number,
): string {
  if (ref === undefined) return waiting > 0 ? 'waiting' : 'idle';
  return turn?.message_ref === ref ? stateOfTurn(turn, now) : 'running';
}

/** Returns the conversation that an event is about. */
export function sessionOf({ row }: LiveEvent): string | undefined {
  const { session_id: id } = row;
  return typeof id === 'string' ? id : undefined;
}
