/** An object of a platform, whose fields are read one by one: each may be missing, or of another type. */
export type Raw = Readonly<Record<string, unknown>>;

/** Returns an object; one without fields for anything else. */
export function toRaw(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

/** Returns the objects of a list; nothing for anything else. */
export function toRaws(value: unknown): Raw[] {
  return Array.isArray(value) ? value.map(toRaw) : [];
}

/** Returns a text that is not empty; undefined for anything else. */
export function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
