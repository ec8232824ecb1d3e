import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { NO_JOBS, type StoreEngine, type StoreExamination, type StoreMigration } from '../store-engine.js';
import type { CheckProgress } from './file/check-database.js';
import { findNetworkFileSystem } from './file/network-file-system.js';
import { findSqliteUrlFault, isSqliteUrl, parseSqliteUrl } from './sqlite-url.js';

type Write = Parameters<StoreEngine['restore']>[1];
type Check = Parameters<StoreEngine['restore']>[2];

/** The engine on one SQLite file. */
export const SQLITE_ENGINE = {
  form: 'sqlite:PATH',
  description: '`sqlite:PATH`, or `sqlite::memory:` for tests',
  accepts: isSqliteUrl,
  findFault: findSqliteUrlFault,
  findPlaceFault: (url: string): string | undefined => {
    const path = parseSqliteUrl(url);
    const system = path === undefined ? undefined : findNetworkFileSystem(path);
    return (
      system &&
      `is on a network file system (${system}), where two gateways can own one file and power failures lose data: ` +
        'use a disk of this machine, or set store.allow_network_fs to true if you know that its locks work'
    );
  },
  isThere: (url: string): boolean => {
    const path = parseSqliteUrl(url);
    return path !== undefined && existsSync(path);
  },
  findMigration: async (url: string): Promise<StoreMigration | undefined> => {
    const path = parseSqliteUrl(url);
    const from = path === undefined ? 0 : readSchemaVersion(path);
    const to = (await import('./schema/migrations.js')).MIGRATIONS.at(-1)?.version ?? 0;
    return from > 0 && from < to ? { from, to } : undefined;
  },
  findPath: parseSqliteUrl,
  // Imported when it is used, like the examination: the settings need the URLs only.
  loadModule: async () => (await import('./sqlite.module.js')).SqliteModule,
  examine,
  restore: async (url: string, ...rest: [Write, Check, number]) => {
    const path = parseSqliteUrl(url);
    if (path === undefined) throw new Error(`${url} keeps nothing: set store.url to the place of the database`);
    return (await import('./file/restore-database.js')).restoreDatabase(path, ...rest);
  },
} satisfies StoreEngine;

const VERSION_OFFSET = 60;

/** Reads the version from the header of a database, which may be open elsewhere. Returns 0 for anything else. */
function readSchemaVersion(path: string): number {
  const header = Buffer.alloc(VERSION_OFFSET + 4);
  const file = openSync(path, 'r');
  try {
    return readSync(file, header, 0, header.length, 0) === header.length ? header.readUInt32BE(VERSION_OFFSET) : 0;
  } finally {
    closeSync(file);
  }
}

async function examine(url: string, onTable?: CheckProgress): Promise<StoreExamination> {
  const path = parseSqliteUrl(url);
  if (path === undefined)
    return {
      says: `${url} keeps nothing after a stop`,
      holder: undefined,
      writes: [],
      settings: {},
      jobs: NO_JOBS,
      movedChats: [],
    };
  const { examineDatabase } = await import('./file/examine-database.js');
  const { version, newest, holder, settings, jobs, movedChats } = examineDatabase(path, onTable);
  const state =
    version === undefined
      ? 'does not exist yet; the first start creates it'
      : `has schema version ${version}${describeVersion(version, newest)}`;
  const user = holder === undefined ? '' : `; in use by the process ${holder}`;
  const checked = onTable && version !== undefined ? '; every page was checked' : '';
  return { says: `${url} ${state}${checked}${user}`, holder, writes: [path], settings, jobs, movedChats };
}

/** Describes what a start does with a database whose version is not the newest that this gateway knows. */
function describeVersion(version: number, newest: number): string {
  if (version < newest) return `; the next start migrates it to ${newest} and keeps a copy`;
  return version > newest ? `, made by a newer gateway, which this one (version ${newest}) can serve` : '';
}
