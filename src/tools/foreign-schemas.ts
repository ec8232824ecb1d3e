import { createHash } from 'node:crypto';
import { BoundedMap } from '../core/cache/bounded-map.js';
import type { PayloadFault } from '../protocol/index.js';

/** Returns the faults of parameters; empty if they match the schema. */
export type FindFaults = (parameters: unknown) => readonly PayloadFault[];

const compiled = new BoundedMap<string, FindFaults>(1_000);

/**
 * Compiles a JSON Schema 2020-12 that `guardSchema` accepted. Compiled schemas are cached by content.
 * @throws Error if it is not a valid schema
 */
export async function compileForeignSchema(schema: Readonly<Record<string, unknown>>): Promise<FindFaults> {
  const key = createHash('sha256').update(JSON.stringify(schema)).digest('base64');
  const known = compiled.get(key);
  if (known) return known;
  const findFaults = await compile(schema);
  compiled.set(key, findFaults);
  return findFaults;
}

async function compile(schema: Readonly<Record<string, unknown>>): Promise<FindFaults> {
  // Loaded with the first foreign schema: a gateway without any does not pay for it.
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  // One instance per schema, because an instance keeps every schema that it has compiled.
  const validate = new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema);
  return (parameters) => {
    if (validate(parameters)) return [];
    return (validate.errors ?? []).map(({ instancePath, message = 'does not fit' }) => ({
      pointer: instancePath,
      message,
    }));
  };
}
