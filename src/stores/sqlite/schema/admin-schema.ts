/**
 * The indexes and tables of the administration: sessions are listed by tenant and found by participant, files by their session.
 * `ended_sessions` has the end of the log of each session that an operator has deleted: one with the same key continues after
 * it, because a client may have read up to there. `settings_history` has the values of changed settings, with secrets, as
 * `settings` has them.
 */
export const ADMIN_SCHEMA = `
  CREATE INDEX sessions_by_tenant ON sessions (tenant);
  CREATE INDEX participants_by_sender ON participants (sender);
  CREATE INDEX media_by_session ON media (session_id) WHERE session_id IS NOT NULL;
  CREATE TABLE ended_sessions (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    ended_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE settings_history (
    version INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
  ) STRICT;
`;
