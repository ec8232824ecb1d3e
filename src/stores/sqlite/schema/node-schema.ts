/**
 * The tables of device nodes. `node_gateway` has the name of this gateway in what they sign, `nodes` their keys, `node_pairings` the codes that let one in, `node_nonces` the
 * credentials that were used, `node_commands` what they offer, `node_calls` the state of each call, `node_events` what
 * they have reported.
 */
export const NODE_SCHEMA = `
  CREATE TABLE node_gateway (gateway_id TEXT NOT NULL) STRICT;
  INSERT INTO node_gateway (gateway_id) VALUES ('gw-' || lower(hex(randomblob(8))));

  CREATE TABLE nodes (
    node_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    public_key TEXT UNIQUE,
    allow TEXT,
    platform TEXT,
    version TEXT,
    created_at INTEGER NOT NULL,
    seen_at INTEGER,
    revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE node_pairings (
    code_hash TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT,
    allow TEXT,
    "replace" TEXT,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE node_nonces (
    node_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (node_id, nonce)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX node_nonces_by_age ON node_nonces (expires_at);

  CREATE TABLE node_commands (
    node_id TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    pending TEXT,
    is_offered INTEGER NOT NULL,
    PRIMARY KEY (node_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE node_calls (
    call_id TEXT PRIMARY KEY,
    node_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'sent', 'ended')),
    result TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX node_calls_by_age ON node_calls (created_at);

  CREATE TABLE node_events (
    entry INTEGER PRIMARY KEY,
    node_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event TEXT NOT NULL,
    data TEXT,
    at INTEGER NOT NULL,
    is_settled INTEGER NOT NULL,
    UNIQUE (node_id, event_id)
  ) STRICT;
  CREATE INDEX node_events_by_node ON node_events (node_id, entry);
  CREATE INDEX node_events_by_age ON node_events (at);
  CREATE INDEX node_events_unsettled ON node_events (entry) WHERE is_settled = 0;
`;
