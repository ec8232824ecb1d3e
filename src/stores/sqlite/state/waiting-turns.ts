import type { DatabaseSync } from 'node:sqlite';
import { personalTurnOf } from '../../../core/questions/question.js';
import type { ClientKey, Json, StoredMessage } from '../../../core/store/index.js';
import { prepare, required } from '../sql/statement.js';

interface Row extends ClientKey {
  readonly sessionId: string;
  readonly payload: Json;
}

/**
 * The turns that waited for a person at a moment: those with an open approval, and the turns of agents that such a turn
 * asks or is asked by. They do not run before the decision.
 */
export class WaitingTurns {
  private readonly messageRefs: ReadonlySet<string>;
  private readonly select;

  /** @param now the moment, in Unix milliseconds */
  constructor(database: DatabaseSync, now: number) {
    const pending = 'SELECT message_ref AS messageRef FROM approvals WHERE decision IS NULL AND expires_at > ?';
    const rows = prepare<{ messageRef: string }>(database, pending).all(now);
    this.messageRefs = new Set(rows.map(({ messageRef }) => messageRef));
    this.select = prepare<Row>(
      database,
      `SELECT sessions.id AS sessionId, clients.tenant, principal, client_id AS clientId, payload
       FROM messages JOIN clients USING (client) JOIN sessions USING (session) WHERE ord = ?`,
    );
  }

  /** Returns whether the turn of a message, which must exist, waited. */
  has(ord: number, messageRef: string): boolean {
    if (this.messageRefs.size === 0) return false;
    const { sessionId, payload, ...client } = required(this.select.get(ord));
    const message = { client, sessionId, messageRef, payload: JSON.parse(payload) as StoredMessage['payload'] };
    return this.messageRefs.has(personalTurnOf(message).messageRef);
  }
}
