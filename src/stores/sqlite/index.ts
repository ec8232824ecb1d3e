/** The store on one SQLite file: nothing to install, one process. */
export { SqliteStore, type SqliteStoreOptions } from './sqlite.store.js';
