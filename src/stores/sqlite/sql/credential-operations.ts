import type { DatabaseSync } from 'node:sqlite';
import { noteOfToken } from '../../../core/audit/audit-notes.js';
import { ALL_TENANTS, type TokenQuery, type TokenRecord } from '../../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** Time for which an expired token is still listed, in milliseconds. */
const KEEP_EXPIRED_MS = 30 * 24 * 3_600_000;

/** The table of tokens that were made at run time, by the SHA-256 of each. `rights` are the scopes, channels and sender. */
export const TOKEN_SCHEMA = `
  CREATE TABLE access_tokens (
    id TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    role TEXT NOT NULL,
    rights TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX access_tokens_by_principal ON access_tokens (tenant, principal);
  CREATE INDEX access_tokens_by_tenant ON access_tokens (tenant, id);
  CREATE INDEX access_tokens_by_end ON access_tokens (expires_at) WHERE expires_at IS NOT NULL;
`;

const TOKEN = `id, tenant, principal, role, rights, created_at AS createdAt, created_by AS createdBy, expires_at AS expiresAt`;

type TokenRow = Omit<TokenRecord, 'scopes' | 'channels' | 'sender' | 'expiresAt'> & {
  readonly rights: string;
  readonly expiresAt: number | null;
};

/** The operations of `CredentialStore`. */
export class CredentialOperations {
  private readonly statements;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.statements = prepareTokens(database);
  }

  addToken(now: number, token: TokenRecord, sha256: string, max: number): boolean {
    const { id, tenant, principal, role, scopes, channels, sender, createdAt, createdBy, expiresAt } = token;
    if (required(this.statements.count.get(tenant)).count >= max) return false;
    const rights = JSON.stringify({ scopes, channels, sender });
    this.statements.add.run(id, sha256, tenant, principal, role, rights, createdAt, createdBy, expiresAt ?? null);
    this.audit.add(now, noteOfToken('create', token, createdBy));
    return true;
  }

  findToken(sha256: string): TokenRecord | undefined {
    const row = this.statements.find.get(sha256);
    return row && toToken(row);
  }

  listTokens({ tenant, after = '', limit }: TokenQuery): TokenRecord[] {
    const rows =
      tenant === ALL_TENANTS
        ? this.statements.listAll.all(after, limit)
        : this.statements.list.all(tenant, after, limit);
    return rows.map(toToken);
  }

  listExpiringTokens(now: number, tenant: string, ms: number, limit: number): TokenRecord[] {
    return this.statements.listExpiring.all(now, now + ms, tenant, limit).map(toToken);
  }

  hasToken(now: number, tenant: string, principal: string): boolean {
    return this.statements.has.get(tenant, principal, now) !== undefined;
  }

  removeToken(now: number, tenant: string, id: string, actor: string): boolean {
    const row = this.statements.remove.get(tenant, id);
    if (!row) return false;
    this.audit.add(now, noteOfToken('revoke', toToken(row), actor));
    return true;
  }

  /** Deletes tokens that have expired long ago, within the budget. Returns true if there may be more. */
  sweep(now: number, budget: SweepBudget): boolean {
    return !budget.repeat(() => Number(this.statements.sweep.run(now - KEEP_EXPIRED_MS, MAX_STEP_ROWS).changes));
  }
}

function toToken({ rights, expiresAt, ...row }: TokenRow): TokenRecord {
  const { scopes, channels, sender } = JSON.parse(rights) as Pick<TokenRecord, 'scopes' | 'channels' | 'sender'>;
  return {
    ...row,
    scopes,
    ...(channels && { channels }),
    ...(sender !== undefined && { sender }),
    ...(expiresAt !== null && { expiresAt }),
  };
}

function prepareTokens(database: DatabaseSync) {
  return {
    count: prepare<{ count: number }>(database, 'SELECT count(*) AS count FROM access_tokens WHERE tenant = ?'),
    add: prepare(
      database,
      `INSERT INTO access_tokens (id, sha256, tenant, principal, role, rights, created_at, created_by, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    find: prepare<TokenRow>(database, `SELECT ${TOKEN} FROM access_tokens WHERE sha256 = ?`),
    list: prepare<TokenRow>(
      database,
      `SELECT ${TOKEN} FROM access_tokens WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?`,
    ),
    listAll: prepare<TokenRow>(database, `SELECT ${TOKEN} FROM access_tokens WHERE id > ? ORDER BY id LIMIT ?`),
    listExpiring: prepare<TokenRow>(
      database,
      `SELECT ${TOKEN} FROM access_tokens WHERE expires_at > ?1 AND expires_at <= ?2
       AND (?3 = '${ALL_TENANTS}' OR tenant = ?3) ORDER BY expires_at, id LIMIT ?4`,
    ),
    has: prepare<{ 1: 1 }>(
      database,
      `SELECT 1 FROM access_tokens WHERE tenant = ? AND principal = ? AND (expires_at IS NULL OR expires_at > ?) LIMIT 1`,
    ),
    remove: prepare<TokenRow>(
      database,
      `DELETE FROM access_tokens WHERE (?1 = '${ALL_TENANTS}' OR tenant = ?1) AND id = ?2 RETURNING ${TOKEN}`,
    ),
    sweep: prepare(
      database,
      'DELETE FROM access_tokens WHERE id IN (SELECT id FROM access_tokens WHERE expires_at <= ? LIMIT ?)',
    ),
  };
}
