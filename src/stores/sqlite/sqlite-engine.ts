import { existsSync } from 'node:fs';
import { findSqliteUrlFault, isSqliteUrl, parseSqliteUrl } from './sqlite-url.js';

/** The engine on one SQLite file. */
export const SQLITE_ENGINE = {
  form: 'sqlite:PATH',
  description: '`sqlite:PATH`, or `sqlite::memory:` for tests',
  accepts: isSqliteUrl,
  findFault: findSqliteUrlFault,
  isThere: (url: string): boolean => {
    const path = parseSqliteUrl(url);
    return path !== undefined && existsSync(path);
  },
  findPath: parseSqliteUrl,
  // Imported when it is used: the settings need the URLs only.
  loadModule: async () => (await import('./sqlite.module.js')).SqliteModule,
};
