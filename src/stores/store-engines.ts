import { dirname } from 'node:path';
import type { Type } from '@nestjs/common';
import { SQLITE_ENGINE } from './sqlite/sqlite-engine.js';

/** An engine of the store: its URLs, for the settings, and its module. */
export interface StoreEngine {
  /** The form of the URLs, for messages. */
  readonly form: string;
  /** The forms of URLs with their meaning, for the reference. */
  readonly description: string;
  accepts(url: string): boolean;
  /** Returns what is wrong with a URL that it accepts, in words for the operator. */
  findFault(url: string): string | undefined;
  /** Returns whether the store exists already. */
  isThere(url: string): boolean;
  /** Returns the path of the store's file; undefined if it has none. */
  findPath(url: string): string | undefined;
  /** Loads the Nest module that provides the ports of `core/store`. */
  loadModule(): Promise<Type>;
}

/** The engines of this version. */
export const STORE_ENGINES: readonly StoreEngine[] = [SQLITE_ENGINE];

/** Returns the engine that accepts a URL. */
export function findStoreEngine(url: string): StoreEngine | undefined {
  return STORE_ENGINES.find((engine) => engine.accepts(url));
}

/** Returns a message for the operator if no engine accepts the URL, else undefined. */
export function findStoreUrlFault(url: string): string | undefined {
  const engine = findStoreEngine(url);
  if (engine) return engine.findFault(url);
  const problem = /^postgres(ql)?:/.test(url) ? 'PostgreSQL is not part of this version' : 'is not the URL of a store';
  return `${problem}; allowed: ${STORE_ENGINES.map(({ form }) => form).join(', ')}`;
}

/** Returns whether the store of a URL exists, and may hold settings that were changed at run time. */
export function isStoreThere(url: string): boolean {
  return findStoreEngine(url)?.isThere(url) ?? false;
}

/** Folder of the files of a store that has no file of its own. */
const DEFAULT_FOLDER = 'data';

/** Returns the folder in which files that belong to the store are kept: that of its own file, or `data`. */
export function findStoreFolder(url: string): string {
  const path = findStoreEngine(url)?.findPath(url);
  return path === undefined ? DEFAULT_FOLDER : dirname(path);
}
