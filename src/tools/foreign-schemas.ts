import { createHash } from 'node:crypto';
import type { PayloadFault } from '../protocol/index.js';

/** What is wrong with parameters; nothing when they fit. */
export type FindFaults = (parameters: unknown) => readonly PayloadFault[];

/** Compiled schemas that are kept. */
const MAX_COMPILED = 1_000;

const compiled = new Map<string, FindFaults>();

/**
 * Compiles a schema that `guardSchema` has let pass (JSON Schema 2020-12). Equal schemas are compiled once, whoever
 * brings them, and however often.
 * @throws Error when it is no valid schema
 */
export async function compileForeignSchema(schema: Readonly<Record<string, unknown>>): Promise<FindFaults> {
  const key = createHash('sha256').update(JSON.stringify(schema)).digest('base64');
  const known = compiled.get(key);
  if (known) return known;
  const findFaults = await compile(schema);
  const [oldest] = compiled.keys();
  if (compiled.size >= MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
  compiled.set(key, findFaults);
  return findFaults;
}

async function compile(schema: Readonly<Record<string, unknown>>): Promise<FindFaults> {
  // Loaded with the first foreign schema: a gateway without any does not pay for it.
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  // An instance for each, since one keeps all that it has ever compiled.
  const validate = new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema);
  return (parameters) => {
    if (validate(parameters)) return [];
    return (validate.errors ?? []).map(({ instancePath, message = 'does not fit' }) => ({
      pointer: instancePath,
      message,
    }));
  };
}
