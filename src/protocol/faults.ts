/** Compiled validators for payloads. Server side like the codec; the client needs only the types. */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { PayloadFault } from './errors.js';

/** Maximum number of faults in one error; a client that sends a thousand wrong fields gets the first few. */
const MAX_FAULTS = 10;

/** A pointer contains the client's own keys, which can be as long as the frame. */
const MAX_POINTER_LENGTH = 256;

/** The escapes of NUL and of surrogates: in validated UTF-8, nothing else can make a text malformed. */
const MAY_HAVE_BAD_TEXT = /\\u(?:0000|d[89a-f])/i;

/** By schema, so that a new schema under the name of a former one gets its own validator. */
const validators = new WeakMap<TSchema, Validator>();

/**
 * Returns the faults of `value` under `schema`, at most {@link MAX_FAULTS}; empty when it is valid. All strings inside must
 * be well-formed and free of NUL. The schema is compiled at its first use and must not change afterwards.
 * @param source the text that `value` was parsed from; with it, most values need no check of every string
 */
export function findFaults(schema: TSchema, value: unknown, source?: string): PayloadFault[] {
  let validator = validators.get(schema);
  if (!validator) validators.set(schema, (validator = Compile(schema)));
  if (!validator.Check(value)) return describeFaults(validator, value);
  return source === undefined || MAY_HAVE_BAD_TEXT.test(source) ? findBadText(value, '') : [];
}

/** Returns the faults that a validator finds in `value`, at most {@link MAX_FAULTS}. */
export function describeFaults(validator: Validator, value: unknown): PayloadFault[] {
  const faults: PayloadFault[] = [];
  for (const error of validator.Errors(value)) {
    if (faults.length === MAX_FAULTS) break;
    // An unknown field is reported twice; keep the report with its name.
    if (error.keyword === 'additionalProperties') continue;
    const message = error.keyword === 'boolean' ? 'is not a known field' : error.message;
    faults.push(toFault(error.instancePath, message));
  }
  return faults;
}

function toFault(pointer: string, message: string): PayloadFault {
  return { pointer: pointer.slice(0, MAX_POINTER_LENGTH).toWellFormed(), message };
}

/**
 * Returns the first text with NUL, which stores cannot keep, or a lone surrogate, whatever the schema of the value says.
 * @param parse returns the value of `source`; most need no check of every string, and are not parsed
 */
export function findTextFault(parse: () => unknown, source: string): PayloadFault | undefined {
  return MAY_HAVE_BAD_TEXT.test(source) ? findBadText(parse(), '')[0] : undefined;
}

/** Free-form parts (`metadata`) hold strings that no schema describes, but that are stored nevertheless. */
function findBadText(value: unknown, pointer: string): PayloadFault[] {
  if (typeof value === 'string') {
    const fine = value.isWellFormed() && !value.includes('\u0000');
    return fine ? [] : [toFault(pointer, 'must have no NUL and no lone surrogates')];
  }
  if (typeof value !== 'object' || value === null) return [];
  for (const [key, child] of Object.entries(value)) {
    const path = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const faults = findBadText(key, path).concat(findBadText(child, path));
    if (faults.length > 0) return faults;
  }
  return [];
}
