import type { DatabaseSync } from 'node:sqlite';
import type {
  CanvasAddress,
  CanvasSurface,
  EnteredData,
  SurfaceDraft,
  SurfaceLimits,
} from '../../../core/store/index.js';
import type { CanvasStates } from './canvas-states.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** A row as the database returns it: what may be absent is null. */
interface SurfaceRow {
  readonly sessionId: string;
  readonly surfaceId: string;
  readonly tenant: string;
  readonly version: number;
  readonly since: number;
  readonly kind: CanvasSurface['kind'];
  readonly title: string | null;
  readonly content: string | null;
  readonly mediaId: string | null;
  readonly isClosed: number;
  readonly callId: string;
  readonly updatedAt: number;
  readonly entered: string | null;
  readonly enteredVersion: number | null;
  readonly enteredAt: number | null;
}

const COLUMNS = `session_id AS sessionId, surface_id AS surfaceId, tenant, version, since, kind, title, content, media_id AS mediaId,
  is_closed AS isClosed, call_id AS callId, updated_at AS updatedAt, entered, entered_version AS enteredVersion,
  entered_at AS enteredAt`;

/** The operations of `CanvasStore`. */
export class CanvasOperations {
  private readonly statements;

  constructor(
    database: DatabaseSync,
    private readonly states: CanvasStates,
  ) {
    this.statements = { ...prepareSurfaces(database), ...prepareAddresses(database) };
  }

  save(draft: SurfaceDraft, limits: SurfaceLimits): CanvasSurface | undefined {
    const { sessionId, surfaceId, tenant, kind, title, content, mediaId, isClosed, callId, updatedAt, isNew } = draft;
    const known = this.find(sessionId, surfaceId);
    if (known?.callId === callId) return known;
    const opens = !isClosed && known?.isClosed !== false;
    if (opens && required(this.statements.countOpen.get(sessionId)).count >= limits.open) return undefined;
    const values = [tenant, kind, title ?? null, content ?? null, mediaId ?? null, Number(isClosed), callId, updatedAt];
    this.statements.save.run(sessionId, surfaceId, ...values, Number(isNew));
    if (isNew || isClosed) this.statements.dropEntered.run(sessionId, surfaceId);
    if (isClosed) this.statements.forgetClosed.run(sessionId, limits.closed);
    const saved = required(this.find(sessionId, surfaceId));
    this.states.note(draft, saved, limits);
    return saved;
  }

  find(sessionId: string, surfaceId: string): CanvasSurface | undefined {
    const row = this.statements.find.get(sessionId, surfaceId);
    return row && toSurface(row);
  }

  list(sessionId: string): CanvasSurface[] {
    return this.statements.list.all(sessionId).map(toSurface);
  }

  noteEntered(sessionId: string, surfaceId: string, { data, version, at }: EnteredData): void {
    this.statements.noteEntered.run(data, version, at, sessionId, surfaceId);
  }

  addAddress(address: CanvasAddress, maxPerSurface: number): void {
    const { capabilityHash, sessionId, surfaceId, version, expiresAt } = address;
    this.statements.addAddress.run(capabilityHash, sessionId, surfaceId, version, expiresAt);
    this.statements.forgetAddresses.run(sessionId, surfaceId, maxPerSurface);
  }

  findAddress(now: number, capabilityHash: string): CanvasAddress | undefined {
    return this.statements.findAddress.get(capabilityHash, now);
  }

  /**
   * Deletes addresses that have expired, and what older states showed, within the budget. Returns true if there may be more.
   */
  sweep(now: number, budget: SweepBudget): boolean {
    return (
      this.states.sweep(now, budget) ||
      !budget.repeat(() => Number(this.statements.deleteExpired.run(now, MAX_STEP_ROWS).changes))
    );
  }
}

function toSurface(row: SurfaceRow): CanvasSurface {
  const { title, content, mediaId, isClosed, entered, enteredVersion, enteredAt, ...rest } = row;
  return {
    ...rest,
    isClosed: isClosed === 1,
    ...(title !== null && { title }),
    ...(content !== null && { content }),
    ...(mediaId !== null && { mediaId }),
    ...(entered !== null && { entered: { data: entered, version: enteredVersion ?? 0, at: enteredAt ?? 0 } }),
  };
}

function prepareSurfaces(database: DatabaseSync) {
  return {
    find: prepare<SurfaceRow>(
      database,
      `SELECT ${COLUMNS} FROM canvas_surfaces WHERE session_id = ? AND surface_id = ?`,
    ),
    list: prepare<SurfaceRow>(
      database,
      `SELECT ${COLUMNS} FROM canvas_surfaces WHERE session_id = ? AND is_closed = 0
       ORDER BY updated_at DESC, surface DESC`,
    ),
    countOpen: prepare<{ count: number }>(
      database,
      'SELECT count(*) AS count FROM canvas_surfaces WHERE session_id = ? AND is_closed = 0',
    ),
    save: prepare(
      database,
      `INSERT INTO canvas_surfaces (session_id, surface_id, tenant, version, since, kind, title, content, media_id,
         is_closed, call_id, updated_at)
       VALUES (?1, ?2, ?3, 1, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
       ON CONFLICT (session_id, surface_id) DO UPDATE SET version = version + 1,
         since = CASE WHEN ?11 THEN version + 1 ELSE since END, kind = ?4, title = ?5, content = ?6,
         media_id = ?7, is_closed = ?8, call_id = ?9, updated_at = ?10`,
    ),
    dropEntered: prepare(
      database,
      `UPDATE canvas_surfaces SET entered = NULL, entered_version = NULL, entered_at = NULL
       WHERE session_id = ? AND surface_id = ?`,
    ),
    forgetClosed: prepare(
      database,
      `DELETE FROM canvas_surfaces WHERE surface IN (SELECT surface FROM canvas_surfaces
         WHERE session_id = ? AND is_closed = 1 ORDER BY updated_at DESC, surface DESC LIMIT -1 OFFSET ?)`,
    ),
    noteEntered: prepare(
      database,
      `UPDATE canvas_surfaces SET entered = ?, entered_version = ?, entered_at = ?
       WHERE session_id = ? AND surface_id = ? AND is_closed = 0`,
    ),
  };
}

function prepareAddresses(database: DatabaseSync) {
  return {
    addAddress: prepare(
      database,
      `INSERT INTO canvas_addresses (capability_hash, session_id, surface_id, version, expires_at)
       VALUES (?, ?, ?, ?, ?)`,
    ),
    forgetAddresses: prepare(
      database,
      `DELETE FROM canvas_addresses WHERE address IN (SELECT address FROM canvas_addresses
         WHERE session_id = ? AND surface_id = ? ORDER BY address DESC LIMIT -1 OFFSET ?)`,
    ),
    findAddress: prepare<CanvasAddress>(
      database,
      `SELECT capability_hash AS capabilityHash, session_id AS sessionId, surface_id AS surfaceId, version,
         expires_at AS expiresAt
       FROM canvas_addresses WHERE capability_hash = ? AND expires_at > ?`,
    ),
    deleteExpired: prepare(
      database,
      `DELETE FROM canvas_addresses WHERE address IN
         (SELECT address FROM canvas_addresses WHERE expires_at <= ? LIMIT ?)`,
    ),
  };
}
