import { SQLITE_URLS } from './sqlite/sqlite-url.js';

/** The URLs that select a store engine. It is all that settings know of the engine: its code is loaded when it is used. */
export interface StoreUrls {
  /** How they look, for people. */
  readonly form: string;
  accepts(url: string): boolean;
}

/** The engines of this version, by name. */
export const STORE_URLS = { sqlite: SQLITE_URLS } as const satisfies Record<string, StoreUrls>;
export type StoreEngine = keyof typeof STORE_URLS;

/** Returns the engine that accepts a URL. */
export function findStoreEngine(url: string): StoreEngine | undefined {
  return (Object.keys(STORE_URLS) as StoreEngine[]).find((engine) => STORE_URLS[engine].accepts(url));
}

/** Returns what is wrong with a store's URL, in words for the operator; undefined when an engine accepts it. */
export function findStoreUrlFault(url: string): string | undefined {
  if (findStoreEngine(url)) return undefined;
  const problem = /^postgres(ql)?:/.test(url) ? 'PostgreSQL is not part of this version' : 'is not the URL of a store';
  const forms = Object.values(STORE_URLS).map(({ form }) => form);
  return `${problem}; allowed: ${forms.join(', ')}`;
}
