import type { DatabaseSync } from 'node:sqlite';
import type { TailscaleEntry } from '../../../core/store/index.js';
import { prepare } from './statement.js';

/** The table of what the gateway has set in Tailscale. */
export const TAILSCALE_SCHEMA = `
  CREATE TABLE tailscale_entries (
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    target TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('serve', 'funnel')),
    PRIMARY KEY (host, port, target)
  ) STRICT, WITHOUT ROWID;
`;

/** The operations of `TailscaleStore`. */
export class TailscaleOperations {
  private readonly select;
  private readonly put;
  private readonly remove;

  constructor(database: DatabaseSync) {
    this.select = prepare<TailscaleEntry>(
      database,
      'SELECT host, port, target, mode FROM tailscale_entries ORDER BY host, port, target',
    );
    this.put = prepare(
      database,
      'INSERT OR REPLACE INTO tailscale_entries (host, port, target, mode) VALUES (?, ?, ?, ?)',
    );
    this.remove = prepare(database, 'DELETE FROM tailscale_entries WHERE host = ? AND port = ? AND target = ?');
  }

  list(): TailscaleEntry[] {
    return this.select.all().map((row) => ({ ...row }));
  }

  keep({ host, port, target, mode }: TailscaleEntry): void {
    this.put.run(host, port, target, mode);
  }

  forget({ host, port, target }: TailscaleEntry): void {
    this.remove.run(host, port, target);
  }
}
