import { dirname, join } from 'node:path';
import { SQLITE_ENGINE } from './sqlite/sqlite-engine.js';
import type { StoreEngine } from './store-engine.js';

/** The engines of this version. */
export const STORE_ENGINES: readonly StoreEngine[] = [SQLITE_ENGINE];

/** Returns the engine that accepts a URL. */
export function findStoreEngine(url: string): StoreEngine | undefined {
  return STORE_ENGINES.find((engine) => engine.accepts(url));
}

/** Returns the engine that accepts a URL. @throws Error for the operator if none does */
export function getStoreEngine(url: string): StoreEngine {
  const engine = findStoreEngine(url);
  if (!engine) throw new Error(`store.url: ${findStoreUrlFault(url)}`);
  return engine;
}

/** Returns a message for the operator if no engine accepts the URL, else undefined. */
export function findStoreUrlFault(url: string): string | undefined {
  const engine = findStoreEngine(url);
  if (engine) return engine.findFault(url);
  const problem = /^postgres(ql)?:/.test(url) ? 'PostgreSQL is not part of this version' : 'is not the URL of a store';
  return `${problem}; allowed: ${STORE_ENGINES.map(({ form }) => form).join(', ')}`;
}

/** Returns a message for the operator if the engine of a URL should not be used at the place that it names, else undefined. */
export function findStorePlaceFault(url: string): string | undefined {
  return findStoreEngine(url)?.findPlaceFault(url);
}

/** Returns whether the store of a URL exists, and may hold settings that were changed at run time. */
export function isStoreThere(url: string): boolean {
  return findStoreEngine(url)?.isThere(url) ?? false;
}

/** Says what a start does with a store that is there, in words for operators. */
export async function describeOpening(url: string): Promise<string> {
  const migration = await findStoreEngine(url)?.findMigration(url);
  if (!migration) return 'opening the store';
  return `migrating the store from schema version ${migration.from} to ${migration.to}`;
}

/** Returns whether the store of a URL is a file of its own. */
export function hasStoreFile(url: string): boolean {
  return findStoreEngine(url)?.findPath(url) !== undefined;
}

/** Folder of the files of a store that has no file of its own. */
const DEFAULT_FOLDER = 'data';

/** Returns the folder in which files that belong to the store are kept: that of its own file, or `data`. */
export function findStoreFolder(url: string): string {
  const path = findStoreEngine(url)?.findPath(url);
  return path === undefined ? DEFAULT_FOLDER : dirname(path);
}

/** Returns the folder of uploaded files: `configured`, or `media` beside the store. */
export function findMediaFolder(configured: string | undefined, url: string): string {
  return configured ?? join(findStoreFolder(url), 'media');
}
