/** A message of A2UI is refused. The text is for the agent: a path, and what is wrong there. */
export class A2uiFault extends Error {
  constructor(path: string, reason: string) {
    super(`${path} ${reason}`);
    this.name = 'A2uiFault';
  }
}

/** Returns whether a value is an object with fields, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
