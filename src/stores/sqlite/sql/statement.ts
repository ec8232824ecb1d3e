import type { DatabaseSync, SQLInputValue, StatementResultingChanges } from 'node:sqlite';

/** A prepared statement whose rows have the shape `R`, by column names or aliases. */
export interface Statement<R> {
  get(...values: readonly SQLInputValue[]): R | undefined;
  all(...values: readonly SQLInputValue[]): R[];
  iterate(...values: readonly SQLInputValue[]): Iterable<R>;
  run(...values: readonly SQLInputValue[]): StatementResultingChanges;
}

/** Prepares a statement whose rows have the shape `R`; omit `R` if it returns none. */
export function prepare<R = never>(database: DatabaseSync, sql: string): Statement<R> {
  return database.prepare(sql) as unknown as Statement<R>;
}

/** Returns a row that another row refers to. @throws Error if it is missing */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a row that must exist is missing: the database is damaged');
  return value;
}
