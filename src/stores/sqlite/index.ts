/**
 * The store on one SQLite file, for one process. The store forwards calls to the state machine, in a thread of its own.
 *
 * - `operations`: the calls, a file for each port.
 * - `sql`: their implementations.
 * - `state`: the state in memory that belongs to the tables.
 * - `schema`: the tables and their migrations.
 * - `thread`: the worker, and the form in which calls and results cross to it.
 * - `file`: opening, checking, copying and restoring the file.
 */
export { SqliteStore } from './sqlite.store.js';
