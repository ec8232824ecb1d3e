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
