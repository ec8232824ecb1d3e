import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { PERMUTATION_KEY_BYTES } from './permutation.js';
import { prepare } from '../sql/statement.js';

/** Number of starts that are remembered although they accepted no message, or only messages that are deleted. */
const MAX_IDLE_EPOCHS = 1_000;

/** One start of a gateway on this database. */
export interface LogEpoch {
  /** Grows with each start; 0 for everything that was stored before starts were recorded. */
  readonly number: number;
  /** Random, and thus different from that of every start on another copy of this database. */
  readonly name: string;
  /** The ord of the first message accepted in it. */
  readonly firstOrd: number;
  /** The key of its message refs; null for starts of before there were keys. */
  readonly refKey: Uint8Array | null;
}

/**
 * Records a start.
 * @returns all recorded starts, oldest first
 */
export function beginLogEpoch(database: DatabaseSync, number: number, firstOrd: number): readonly LogEpoch[] {
  prepare(database, 'INSERT INTO epochs (number, name, first_ord, ref_key) VALUES (?, ?, ?, ?)').run(
    number,
    randomBytes(6).toString('hex'),
    firstOrd,
    randomBytes(PERMUTATION_KEY_BYTES),
  );
  // The starts whose messages are still stored are needed to read the refs of these messages.
  prepare(
    database,
    `DELETE FROM epochs WHERE number < ? AND NOT EXISTS (
       SELECT 1 FROM messages WHERE ord >= first_ord
         AND ord < (SELECT min(later.first_ord) FROM epochs AS later WHERE later.number > epochs.number))`,
  ).run(number - MAX_IDLE_EPOCHS);
  const all = 'SELECT number, name, first_ord AS firstOrd, ref_key AS refKey FROM epochs ORDER BY number';
  return prepare<LogEpoch>(database, all).all();
}
