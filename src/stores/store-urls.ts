import { SQLITE_URLS } from './sqlite/sqlite-url.js';

/** The URLs of a store engine. Settings only need these; the engine's code is loaded when it is used. */
export interface StoreUrls {
  /** The form of the URLs, for messages. */
  readonly form: string;
  accepts(url: string): boolean;
  /** Returns what is wrong with a URL that it accepts, in words for the operator. */
  findFault(url: string): string | undefined;
  /** Returns whether the store exists already. */
  isThere(url: string): boolean;
}

/** The engines of this version, by name. */
const STORE_URLS = { sqlite: SQLITE_URLS } as const satisfies Record<string, StoreUrls>;
export type StoreEngine = keyof typeof STORE_URLS;

/** Returns the engine that accepts a URL. */
export function findStoreEngine(url: string): StoreEngine | undefined {
  return (Object.keys(STORE_URLS) as StoreEngine[]).find((engine) => STORE_URLS[engine].accepts(url));
}

/** Returns a message for the operator if no engine accepts the URL, else undefined. */
export function findStoreUrlFault(url: string): string | undefined {
  const engine = findStoreEngine(url);
  if (engine) return STORE_URLS[engine].findFault(url);
  const problem = /^postgres(ql)?:/.test(url) ? 'PostgreSQL is not part of this version' : 'is not the URL of a store';
  const forms = Object.values(STORE_URLS).map(({ form }) => form);
  return `${problem}; allowed: ${forms.join(', ')}`;
}

/** Returns whether the store of a URL exists, and may hold settings that were changed at run time. */
export function isStoreThere(url: string): boolean {
  const engine = findStoreEngine(url);
  return engine !== undefined && STORE_URLS[engine].isThere(url);
}
