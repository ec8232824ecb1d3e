/** The changes of version 24: where the states of surfaces stand in the log. `due_at` is null for the newest one. */
export const STATES_SCHEMA = `
  CREATE TABLE canvas_states (
    state INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    surface_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    due_at INTEGER
  ) STRICT;
  CREATE INDEX canvas_states_by_surface ON canvas_states (session_id, surface_id, version);
  CREATE INDEX canvas_states_by_due ON canvas_states (due_at) WHERE due_at IS NOT NULL;
`;

/**
 * The changes of version 21: the canvas. `canvas_surfaces` has the newest state of each surface, `canvas_addresses` who may
 * read a page without a credential.
 */
export const SCHEMA_21 = `
  CREATE TABLE canvas_surfaces (
    surface INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    surface_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    version INTEGER NOT NULL,
    since INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('a2ui', 'html')),
    title TEXT,
    content TEXT,
    media_id TEXT,
    is_closed INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    entered TEXT,
    entered_version INTEGER,
    entered_at INTEGER,
    UNIQUE (session_id, surface_id)
  ) STRICT;

  CREATE TABLE canvas_addresses (
    address INTEGER PRIMARY KEY,
    capability_hash TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL,
    surface_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX canvas_addresses_by_surface ON canvas_addresses (session_id, surface_id, address);
  CREATE INDEX canvas_addresses_by_age ON canvas_addresses (expires_at);
`;
