/** An object that came as JSON, none of its fields checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Returns `value` when it is an object, else undefined. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Returns `value` when it is a text with at least one character, else undefined. */
export function asWord(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns the items of a list; a single value counts as a list of one, null and undefined as an empty one. */
export function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/** Returns the text of a value that is a text, a part with a text, or a list of those; parts of thinking have none. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textOf).join('');
  const { type, text, refusal } = asFields(value) ?? {};
  if (typeof type === 'string' && /think|reason/.test(type)) return '';
  return typeof text === 'string' ? text : typeof refusal === 'string' ? refusal : '';
}

/** Returns arguments of a tool call as JSON text: some servers send the object itself. */
export function argumentsOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns whether `text` is a complete JSON object. */
export function isWholeObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  return asFields(parseJson(text)) !== undefined;
}

/** Returns the parsed text, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
