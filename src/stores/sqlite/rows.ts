/** A row as `node:sqlite` gives it. */
export type Row = Record<string, unknown>;

/** A row, or what was made of it, that another row says must be there. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a row that must exist is missing: the database is damaged');
  return value;
}
