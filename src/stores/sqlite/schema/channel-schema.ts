/**
 * The changes of version 10: the channels. `accounts` has the leases, `inbox` what platforms handed over and the gateway has
 * not acknowledged, `places` where the replies go, `outbox` the state of each part that was sent,
 * `pairings` the senders who ask to be let in or were.
 */
export const SCHEMA_10 = `
  CREATE TABLE accounts (
    channel TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE inbox (
    entry INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    message_id TEXT NOT NULL,
    chat TEXT NOT NULL,
    place TEXT NOT NULL,
    content TEXT NOT NULL,
    reading TEXT,
    received_at INTEGER NOT NULL,
    UNIQUE (channel, message_id)
  ) STRICT;

  CREATE TABLE places (
    channel TEXT NOT NULL,
    message_ref TEXT NOT NULL,
    place TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel, message_ref)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX places_by_age ON places (created_at);

  CREATE TABLE outbox (
    part INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'dead')),
    place TEXT NOT NULL,
    ref TEXT,
    content TEXT,
    reason TEXT,
    doubts INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (channel, reply_to, number)
  ) STRICT;
  CREATE INDEX outbox_by_age ON outbox (created_at);
  CREATE INDEX outbox_notes ON outbox (channel, part) WHERE content IS NOT NULL AND state IN ('waiting', 'sending');

  CREATE TABLE pairings (
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    code TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    approved_at INTEGER,
    PRIMARY KEY (channel, sender)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * The changes of version 11: `chats` has the newest message of each chat, from which a driver reads on where its platform
 * keeps no queue. Dead letters are listed without reading the other parts.
 */
export const SCHEMA_11 = `
  CREATE TABLE chats (
    channel TEXT NOT NULL,
    chat TEXT NOT NULL,
    message_id TEXT NOT NULL,
    place TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (channel, chat)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE inbox ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX outbox_dead ON outbox (part) WHERE state = 'dead';
`;

/** The changes of version 12: `moved_chats` has the chats whose platform has given them a new ID. */
export const SCHEMA_12 = `
  CREATE TABLE moved_chats (
    channel TEXT NOT NULL,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    PRIMARY KEY (channel, "from")
  ) STRICT, WITHOUT ROWID;
`;

/**
 * The changes of version 13: `sender_aliases` has the IDs of people whose platform has several for one. Parts are found by the
 * platform's ID of them.
 */
export const SCHEMA_13 = `
  CREATE TABLE sender_aliases (
    channel TEXT NOT NULL,
    alias TEXT NOT NULL,
    sender TEXT NOT NULL,
    PRIMARY KEY (channel, alias)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX outbox_refs ON outbox (channel, ref) WHERE ref IS NOT NULL;
`;

/** The changes of version 14: `chats` has a row for each thread of a chat, and those in which the agent takes part. */
export const SCHEMA_14 = `
  ALTER TABLE chats RENAME TO chats_12;
  CREATE TABLE chats (
    channel TEXT NOT NULL,
    chat TEXT NOT NULL,
    thread TEXT NOT NULL,
    message_id TEXT NOT NULL,
    place TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    takes_part INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, chat, thread)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO chats (channel, chat, thread, message_id, place, sent_at)
    SELECT channel, chat, coalesce(place ->> '$.thread', ''), message_id, place, sent_at FROM chats_12;
  DROP TABLE chats_12;
`;

/**
 * The changes of version 16: `gaps` has the chats whose messages a platform without a queue may not have handed over
 * completely.
 */
export const SCHEMA_16 = `
  CREATE TABLE gaps (
    channel TEXT NOT NULL,
    chat TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (channel, chat)
  ) STRICT, WITHOUT ROWID;
`;

/** The updates that were one message, by their IDs: one that is delivered again is a part of it. */
export const JOINED_SCHEMA = `
  CREATE TABLE joined_updates (
    channel TEXT NOT NULL,
    message_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel, message_id)
  ) STRICT, WITHOUT ROWID;
`;

/** Chats that a platform makes wait are found without reading all parts. */
export const HELD_CHATS_SCHEMA = `
  CREATE INDEX outbox_held ON outbox (channel, not_before) WHERE not_before > 0;
`;
