/** The store on one SQLite file, for one process. */
export { SqliteStore } from './sqlite.store.js';
