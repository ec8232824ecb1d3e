import { FIRST_PREVIOUS_HASH } from '../../../core/store/index.js';

/**
 * The tables of version 1. `ord` numbers messages in the order of acceptance; `session` and `client` number sessions
 * and client identities, as short keys in place of long texts.
 *
 * - `messages` rows never change; their UNIQUE key recognises duplicates. `body_hash` is empty in newer rows: a repeat is
 *   compared with the payload.
 * - `queue` has exactly the unfinished messages, with everything that changes about them.
 * - `replies` has the ends of finished messages. A message in neither was only observed.
 * - `memory_words` is the full-text index of `memories`, in version 1 maintained by triggers.
 * - `settings` has the settings changed at run time; `audit` is the audit trail, whose rows are only added.
 * - `frames` has the logs of all sessions in the order of writing, so that rows of many sessions share the pages that a
 *   commit writes. A session's head is `max(seq)`, or `swept_seq` if retention has deleted all.
 */
export const SCHEMA_1 = `
  CREATE TABLE gateway (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    instance TEXT NOT NULL,
    generation INTEGER NOT NULL,
    swept_ord INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    settings_version INTEGER NOT NULL DEFAULT 0,
    secret BLOB NOT NULL
  ) STRICT;

  CREATE TABLE clients (
    client INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    client_id TEXT NOT NULL,
    UNIQUE (client_id, principal, tenant)
  ) STRICT;

  CREATE TABLE sessions (
    session INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    mode TEXT NOT NULL,
    channel TEXT NOT NULL,
    key_parts TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    memory_refs TEXT NOT NULL DEFAULT '[]',
    tool_permissions TEXT NOT NULL DEFAULT '[]',
    explicit_activation INTEGER NOT NULL DEFAULT 0,
    context_from INTEGER NOT NULL DEFAULT 0,
    swept_seq INTEGER NOT NULL DEFAULT 0,
    oldest_frame_at INTEGER
  ) STRICT;
  CREATE INDEX sessions_by_key ON sessions (key_parts, channel, tenant);
  CREATE INDEX sessions_by_oldest_frame ON sessions (oldest_frame_at) WHERE oldest_frame_at IS NOT NULL;

  CREATE TABLE participants (
    session INTEGER NOT NULL,
    sender TEXT NOT NULL,
    PRIMARY KEY (session, sender)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE messages (
    ord INTEGER PRIMARY KEY,
    client INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    session INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (client, message_id)
  ) STRICT;
  CREATE INDEX messages_by_session ON messages (session);

  CREATE TABLE queue (
    ord INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    client INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'retry')),
    not_before INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    head_before INTEGER
  ) STRICT;

  CREATE TABLE replies (
    ord INTEGER PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('done', 'cancelled', 'failed')),
    reply TEXT NOT NULL
  ) STRICT;

  CREATE TABLE reactions (
    ord INTEGER NOT NULL,
    sender TEXT NOT NULL,
    emoji TEXT NOT NULL,
    PRIMARY KEY (ord, sender, emoji)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE approvals (
    approval INTEGER PRIMARY KEY,
    approval_id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    session_id TEXT NOT NULL,
    message_ref TEXT NOT NULL,
    call_id TEXT NOT NULL UNIQUE,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    arguments_sha256 TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    decision TEXT
  ) STRICT;
  CREATE INDEX approvals_pending ON approvals (tenant, approval) WHERE decision IS NULL;

  CREATE TABLE media (
    media_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    session_id TEXT,
    mime_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE memories (
    memory INTEGER PRIMARY KEY,
    memory_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    collection TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, memory_id)
  ) STRICT;
  CREATE INDEX memories_by_collection ON memories (collection, tenant);
  CREATE VIRTUAL TABLE memory_words USING fts5 (text, content='memories', content_rowid='memory', tokenize='unicode61 remove_diacritics 2');
  CREATE TRIGGER memory_saved AFTER INSERT ON memories BEGIN
    INSERT INTO memory_words (rowid, text) VALUES (new.memory, new.text);
  END;
  CREATE TRIGGER memory_deleted AFTER DELETE ON memories BEGIN
    INSERT INTO memory_words (memory_words, rowid, text) VALUES ('delete', old.memory, old.text);
  END;

  CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    entry INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
  ) STRICT;

  CREATE TABLE frames (
    frame INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    type TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (session, seq)
  ) STRICT;

  CREATE TABLE journal (
    ord INTEGER NOT NULL,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    head_seq INTEGER NOT NULL,
    PRIMARY KEY (ord, step)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE cursors (
    client INTEGER NOT NULL,
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (client, session)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * The changes of version 2: the audit trail becomes a hash chain with a separate head. Removes the unused secret of the
 * installation.
 */
export const SCHEMA_2 = `
  ALTER TABLE audit RENAME TO audit_1;
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
  ALTER TABLE gateway ADD COLUMN audit_sequence INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE gateway ADD COLUMN audit_hash TEXT NOT NULL DEFAULT '${FIRST_PREVIOUS_HASH}';
  ALTER TABLE gateway DROP COLUMN secret;
  DROP TRIGGER memory_saved;
  DROP TRIGGER memory_deleted;
  DROP TABLE memory_words;
  CREATE VIRTUAL TABLE memory_words USING fts5 (
    text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
  );
  CREATE TRIGGER memory_deleted AFTER DELETE ON memories BEGIN
    DELETE FROM memory_words WHERE rowid = old.memory;
  END;
`;

/**
 * The changes of version 3: each start is recorded in `epochs`, and each frame names the start in which it was written.
 * An older copy of the database that is put back thus has frames and messages of other starts under the same numbers.
 */
export const SCHEMA_3 = `
  CREATE TABLE epochs (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_ord INTEGER NOT NULL
  ) STRICT;
  INSERT INTO epochs (number, name, first_ord) SELECT 0, instance, 1 FROM gateway;
  ALTER TABLE gateway DROP COLUMN instance;
  ALTER TABLE frames ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN swept_epoch INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX approvals_by_expiry ON approvals (expires_at);
  CREATE INDEX approvals_by_session ON approvals (session_id);
`;

/** The change of version 4: a session may have a model of its own. */
export const SCHEMA_4 = 'ALTER TABLE sessions ADD COLUMN model TEXT';

/** The change of version 5: messages that a later one supersedes. They are left out of the agent's context. */
export const SCHEMA_5 = `
  CREATE TABLE superseded (
    ord INTEGER PRIMARY KEY,
    superseded_by INTEGER NOT NULL
  ) STRICT;
`;

/**
 * The changes of version 6: indexes for what was a read of a whole table. The uploads of a principal are counted at each
 * upload, the cursors of a session are looked up when it is deleted.
 */
export const SCHEMA_6 = `
  CREATE INDEX media_by_owner ON media (tenant, principal, created_at);
  CREATE INDEX cursors_by_session ON cursors (session);
`;

/** The change of version 7: who decided on an approval. */
export const SCHEMA_7 = 'ALTER TABLE approvals ADD COLUMN decided_by TEXT';

/** The changes of version 30: the ID, in the audit trail, of the person who decided. What shows it is replaced once the person is erased. */
export const DECIDER_SCHEMA = `
  ALTER TABLE approvals ADD COLUMN decider TEXT;
  CREATE INDEX approvals_by_decider ON approvals (decider) WHERE decider IS NOT NULL;
`;

/** The change of version 31: the key that hides the order of messages in their refs. Those of starts of before stay as they are. */
export const REF_KEY_SCHEMA = 'ALTER TABLE epochs ADD COLUMN ref_key BLOB';

/** The change of version 20: what a tool says of a call that a person decides on. */
export const SCHEMA_20 = 'ALTER TABLE approvals ADD COLUMN shown TEXT';

/** The changes of version 8: a session belongs to an agent. Those of before belong to `main`. */
export const SCHEMA_8 = `
  ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT 'main';
  DROP INDEX sessions_by_key;
`;

/** The change of version 9: uploads that no message has claimed are found without reading the others. */
export const SCHEMA_9 = 'CREATE INDEX media_unclaimed ON media (created_at) WHERE session_id IS NULL';

/**
 * The change of version 15: the clients that follow channels. `since` and `frame` are the time and the newest frame of the
 * first connect, `seen_at` is the time of the newest one.
 */
export const SCHEMA_15 = `
  CREATE TABLE followers (
    client INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT;
`;
