import type { DatabaseSync } from 'node:sqlite';
import type { Json, NodeCall, NodeEventQuery, NodeEventRecord, SweepLimits } from '../../../core/store/index.js';
import { DAY_MS } from '../../../core/time/clock.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** Time for which events are kept and recognised, in milliseconds. */
const KEEP_EVENTS_MS = DAY_MS;

/** Maximum number of events of a node whose data are kept. Of older ones the names and IDs stay. */
const MAX_EVENTS_WITH_DATA = 1_000;

type CallRow = Omit<NodeCall, 'result'> & { readonly result: Json | null };
type EventRow = Omit<NodeEventRecord, 'data'> & { readonly data: Json | null };

const CALL = 'call_id AS callId, node_id AS nodeId, session_id AS sessionId, deadline, state, result';
const EVENT = 'node_id AS nodeId, tenant, event_id AS eventId, event, data, at';

/** The operations of `NodeStore` on calls and events. */
export class NodeTrafficOperations {
  private readonly statements;

  constructor(database: DatabaseSync) {
    this.statements = { ...prepareCalls(database), ...prepareEvents(database) };
  }

  openCall(now: number, { callId, nodeId, sessionId, deadline }: Omit<NodeCall, 'state' | 'result'>): NodeCall {
    this.statements.openCall.run(callId, nodeId, sessionId, deadline, now);
    return required(this.findCall(callId));
  }

  findCall(callId: string): NodeCall | undefined {
    const row = this.statements.findCall.get(callId);
    if (!row) return undefined;
    const { result, ...call } = row;
    return { ...call, ...(result !== null && { result }) };
  }

  markSent(callId: string): NodeCall['state'] {
    this.statements.markSent.run(callId);
    return this.findCall(callId)?.state ?? 'ended';
  }

  endCall(nodeId: string, callId: string, result?: Json): boolean {
    return this.statements.endCall.run(result ?? null, callId, nodeId).changes > 0;
  }

  addEvent({ nodeId, tenant, eventId, event, data, at }: NodeEventRecord): boolean {
    const isNew = this.statements.addEvent.run(nodeId, tenant, eventId, event, data ?? null, at).changes > 0;
    if (isNew) this.statements.dropOldData.run(nodeId, MAX_EVENTS_WITH_DATA);
    return isNew;
  }

  settleEvent(nodeId: string, eventId: string): void {
    this.statements.settleEvent.run(nodeId, eventId);
  }

  listUnsettled(limit: number): NodeEventRecord[] {
    return this.statements.listUnsettled.all(limit).map(toEvent);
  }

  listEvents({ tenant, nodeId, event, since, limit }: NodeEventQuery): NodeEventRecord[] {
    return this.statements.listEvents.all(tenant, nodeId ?? null, event ?? null, since, limit).map(toEvent);
  }

  /** Deletes old calls and events, within the budget. Returns true if there may be more. */
  sweep(now: number, { dedupeBefore }: SweepLimits, budget: SweepBudget): boolean {
    const { deleteCalls, deleteEvents } = this.statements;
    const isSwept =
      budget.repeat(() => Number(deleteCalls.run(dedupeBefore, MAX_STEP_ROWS).changes)) &&
      budget.repeat(() => Number(deleteEvents.run(now - KEEP_EVENTS_MS, MAX_STEP_ROWS).changes));
    return !isSwept;
  }
}

function toEvent({ data, ...event }: EventRow): NodeEventRecord {
  return { ...event, ...(data !== null && { data }) };
}

function prepareCalls(database: DatabaseSync) {
  return {
    openCall: prepare(
      database,
      `INSERT INTO node_calls (call_id, node_id, session_id, deadline, state, created_at) VALUES (?, ?, ?, ?, 'wanted', ?)
       ON CONFLICT DO NOTHING`,
    ),
    findCall: prepare<CallRow>(database, `SELECT ${CALL} FROM node_calls WHERE call_id = ?`),
    markSent: prepare(database, `UPDATE node_calls SET state = 'sent' WHERE call_id = ? AND state = 'wanted'`),
    endCall: prepare(
      database,
      `UPDATE node_calls SET state = 'ended', result = ? WHERE call_id = ? AND node_id = ? AND state <> 'ended'`,
    ),
    deleteCalls: prepare(
      database,
      'DELETE FROM node_calls WHERE call_id IN (SELECT call_id FROM node_calls WHERE created_at < ? LIMIT ?)',
    ),
  };
}

function prepareEvents(database: DatabaseSync) {
  return {
    addEvent: prepare(
      database,
      `INSERT INTO node_events (node_id, tenant, event_id, event, data, at, is_settled) VALUES (?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT DO NOTHING`,
    ),
    dropOldData: prepare(
      database,
      `UPDATE node_events SET data = NULL WHERE entry =
         (SELECT entry FROM node_events WHERE node_id = ? ORDER BY entry DESC LIMIT 1 OFFSET ?) AND is_settled = 1`,
    ),
    settleEvent: prepare(database, 'UPDATE node_events SET is_settled = 1 WHERE node_id = ? AND event_id = ?'),
    listUnsettled: prepare<EventRow>(
      database,
      `SELECT ${EVENT} FROM node_events WHERE is_settled = 0 ORDER BY entry LIMIT ?`,
    ),
    listEvents: prepare<EventRow>(
      database,
      `SELECT ${EVENT} FROM node_events WHERE tenant = ?1 AND (?2 IS NULL OR node_id = ?2) AND (?3 IS NULL OR event = ?3)
         AND at >= ?4 ORDER BY entry DESC LIMIT ?5`,
    ),
    deleteEvents: prepare(
      database,
      'DELETE FROM node_events WHERE entry IN (SELECT entry FROM node_events WHERE at < ? LIMIT ?)',
    ),
  };
}
