/** The store on one SQLite file: nothing to install, one process. */
export { SqliteStore } from './sqlite.store.js';
