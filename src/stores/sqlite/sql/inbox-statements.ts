import type { DatabaseSync } from 'node:sqlite';
import type { InboxEntry, Json, MovedChat, SeenChat, SenderAlias } from '../../../core/store/index.js';
import { MAX_LISTED_THREADS } from '../../../core/store/channel.store.js';
import { prepare } from './statement.js';

/** A row with SQL's null for what is absent. */
export type Row<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K] };

/** Prepares the statements about what platforms hand over, and from where. */
export function prepareInbox(database: DatabaseSync) {
  return {
    addInbox: prepare(
      database,
      `INSERT OR IGNORE INTO inbox (channel, message_id, chat, place, content, reading, sent_at, received_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    listInbox: prepare<Row<InboxEntry>>(
      database,
      `SELECT message_id AS messageId, chat, place, content AS "update", reading, sent_at AS sentAt,
         received_at AS receivedAt
       FROM inbox WHERE channel = ? ORDER BY entry`,
    ),
    ...prepareChats(database),
    ...prepareIdentities(database),
    keepReading: prepare(database, 'UPDATE inbox SET reading = ? WHERE channel = ? AND message_id = ?'),
    deleteInbox: prepare(database, 'DELETE FROM inbox WHERE channel = ? AND message_id = ?'),
    addJoined: prepare(
      database,
      'INSERT OR IGNORE INTO joined_updates (channel, message_id, created_at) VALUES (?, ?, ?)',
    ),
    listJoined: prepare<{ messageId: string }>(
      database,
      `SELECT message_id AS messageId FROM joined_updates WHERE channel = ? ORDER BY created_at DESC LIMIT ?`,
    ),
    deleteJoined: prepare(
      database,
      `DELETE FROM joined_updates WHERE (channel, message_id) IN
         (SELECT channel, message_id FROM joined_updates WHERE created_at < ? LIMIT ?)`,
    ),
    findPending: prepare<{ place: Json }>(database, 'SELECT place FROM inbox WHERE channel = ? AND message_id = ?'),
    addPlace: prepare(
      database,
      `INSERT OR IGNORE INTO places (channel, message_ref, place, created_at)
       SELECT channel, ?, place, ? FROM inbox WHERE channel = ? AND message_id = ?`,
    ),
    findPlace: prepare<{ place: Json }>(database, 'SELECT place FROM places WHERE channel = ? AND message_ref = ?'),
    deletePlaces: prepare(
      database,
      `DELETE FROM places WHERE (channel, message_ref) IN
         (SELECT channel, message_ref FROM places WHERE created_at < ? LIMIT ?)`,
    ),
  };
}

/** Chats and their threads. */
function prepareChats(database: DatabaseSync) {
  return {
    noteChat: prepare(
      database,
      `INSERT INTO chats (channel, chat, thread, message_id, place, sent_at)
       VALUES (?1, ?2, coalesce(?4 ->> '$.thread', ''), ?3, ?4, ?5)
       ON CONFLICT DO UPDATE SET message_id = excluded.message_id, place = excluded.place, sent_at = excluded.sent_at
       WHERE excluded.sent_at >= sent_at`,
    ),
    listChats: prepare<SeenChat>(
      database,
      `SELECT chat, place, messageId, sentAt, missingSince FROM (
         SELECT chat, thread, place, message_id AS messageId, sent_at AS sentAt,
           coalesce(since, max(sent_at) OVER (PARTITION BY chat)) AS missingSince,
           row_number() OVER (PARTITION BY chat ORDER BY sent_at DESC) AS n
         FROM chats LEFT JOIN gaps USING (channel, chat) WHERE channel = ?1 AND chat IN (
           SELECT chat FROM chats WHERE channel = ?1 GROUP BY chat ORDER BY max(sent_at) DESC LIMIT ?2))
       WHERE n <= ${MAX_LISTED_THREADS} ORDER BY chat, thread`,
    ),
    openGaps: prepare(
      database,
      `INSERT OR IGNORE INTO gaps (channel, chat, since)
       SELECT channel, chat, max(sent_at) FROM chats WHERE channel = ? GROUP BY chat`,
    ),
    closeGap: prepare(database, 'DELETE FROM gaps WHERE channel = ? AND chat = ?'),
    deleteGaps: prepare(
      database,
      'DELETE FROM gaps WHERE (channel, chat) IN (SELECT channel, chat FROM gaps WHERE since < ? LIMIT ?)',
    ),
    deleteChats: prepare(
      database,
      `DELETE FROM chats WHERE (channel, chat, thread) IN
         (SELECT channel, chat, thread FROM chats WHERE sent_at < ? LIMIT ?)`,
    ),
    takePart: prepare(
      database,
      `UPDATE chats SET takes_part = 1 WHERE takes_part = 0 AND channel = ?1 AND (chat, thread) IN
         (SELECT chat, coalesce(place ->> '$.thread', '') FROM inbox WHERE channel = ?1 AND message_id = ?2)`,
    ),
    takesPart: prepare<{ takesPart: number }>(
      database,
      'SELECT takes_part AS takesPart FROM chats WHERE channel = ? AND chat = ? AND thread = ?',
    ),
  };
}

/** Chats that have moved, and the IDs of people. */
function prepareIdentities(database: DatabaseSync) {
  return {
    moveChat: prepare(database, 'INSERT OR IGNORE INTO moved_chats (channel, "from", "to") VALUES (?, ?, ?)'),
    listMovedChats: prepare<MovedChat>(database, 'SELECT "from", "to" FROM moved_chats WHERE channel = ?'),
    joinSender: prepare(
      database,
      'INSERT INTO sender_aliases (channel, alias, sender) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sender = excluded.sender',
    ),
    listSenderAliases: prepare<SenderAlias>(database, 'SELECT alias, sender FROM sender_aliases WHERE channel = ?'),
  };
}
