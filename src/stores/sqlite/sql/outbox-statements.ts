import type { DatabaseSync } from 'node:sqlite';
import type { DeadLetter, HeldChat, OutboxPart } from '../../../core/store/index.js';
import type { Row } from './inbox-statements.js';
import { prepare } from './statement.js';

const PART_COLUMNS =
  'channel, reply_to, number, state, place, ref, content, reason, doubts, not_before, deadline, created_at';
const PART = `reply_to AS replyTo, number, state, place, ref, content, reason, doubts, not_before AS notBefore, deadline,
  created_at AS createdAt`;
const SELECT_PARTS = `SELECT ${PART} FROM outbox`;
const LETTER = `part AS id, channel, ${PART}`;

/** Prepares the statements about what is sent to platforms. */
export function prepareOutbox(database: DatabaseSync) {
  const insert = `INSERT INTO outbox (${PART_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (channel, reply_to, number) DO`;
  return {
    writePart: prepare(
      database,
      `${insert} UPDATE SET state = excluded.state, place = excluded.place, ref = excluded.ref, content = excluded.content,
         reason = excluded.reason, doubts = excluded.doubts, not_before = excluded.not_before, deadline = excluded.deadline`,
    ),
    findReplyTo: prepare<{ replyTo: string }>(
      database,
      `SELECT reply_to AS replyTo FROM outbox WHERE channel = ? AND ref = ? AND json_extract(place, '$.chat') = ?`,
    ),
    failPart: prepare(
      database,
      "UPDATE outbox SET state = 'dead', reason = ? WHERE channel = ? AND ref = ? AND state = 'sent'",
    ),
    addNote: prepare(database, `${insert} NOTHING`),
    listParts: prepare<Row<OutboxPart>>(database, `${SELECT_PARTS} WHERE channel = ? AND reply_to = ? ORDER BY number`),
    listHeldChats: prepare<HeldChat>(
      database,
      `SELECT place, max(not_before) AS until FROM outbox
       WHERE channel = ? AND not_before > ? AND not_before > 0 GROUP BY place ->> '$.chat'`,
    ),
    listNotes: prepare<Row<OutboxPart>>(
      database,
      `${SELECT_PARTS} WHERE channel = ? AND content IS NOT NULL AND state IN ('waiting', 'sending') ORDER BY part`,
    ),
    ...prepareDeadLetters(database),
    deleteParts: prepare(
      database,
      `DELETE FROM outbox WHERE part IN
         (SELECT part FROM outbox WHERE created_at < ? AND state IN ('sending', 'sent') LIMIT ?)`,
    ),
  };
}

function prepareDeadLetters(database: DatabaseSync) {
  return {
    listDead: prepare<Row<DeadLetter>>(
      database,
      `SELECT ${LETTER} FROM outbox WHERE state = 'dead' AND part < ?1 AND (?2 IS NULL OR channel = ?2)
       ORDER BY part DESC LIMIT ?3`,
    ),
    countDead: prepare<{ channel: string; count: number }>(
      database,
      "SELECT channel, count(*) AS count FROM outbox WHERE state = 'dead' GROUP BY channel",
    ),
    reviveDead: prepare<Row<DeadLetter>>(
      database,
      `UPDATE outbox SET state = 'waiting', ref = NULL, reason = NULL, not_before = 0, created_at = ?
       WHERE part = ? AND state = 'dead' RETURNING ${LETTER}`,
    ),
    deleteDead: prepare<Row<DeadLetter>>(
      database,
      `DELETE FROM outbox WHERE part = ? AND state = 'dead' RETURNING ${LETTER}`,
    ),
    deleteOldDead: prepare(
      database,
      "DELETE FROM outbox WHERE part IN (SELECT part FROM outbox WHERE created_at < ? AND state = 'dead' LIMIT ?)",
    ),
  };
}
