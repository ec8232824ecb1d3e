/** Decodes and validates frames: the only place that parses them. Server side; the client needs only the types. */
import { Compile, type Validator } from 'typebox/compile';
import { ENVELOPE_LIMITS, InboundEnvelope } from './envelope.js';
import { GatewayError } from './errors.js';
import { describeFaults, findFaults } from './faults.js';
import { inboundTable, type InboundPayload, type InboundType } from './inbound.js';
import { isText, type TextRule } from './text.js';

/** Texts up to this length cannot hold too many values, nor nest deeply enough to be slow to parse. */
const HARMLESS_LENGTH = 4_096;

const ID_RULE: TextRule = { min: 1, max: ENVELOPE_LIMITS.maxIdLength, controls: false };

/** The text that follows a key; long enough for an id whose every character is an escape. */
const TEXT_VALUE = new RegExp(`\\s*:\\s*("(?:[^"\\\\]|\\\\.){1,${6 * ENVELOPE_LIMITS.maxIdLength}}")`, 'y');

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const MAY_HAVE_FORBIDDEN_KEY = /__proto__|constructor|prototype|\\u/;

/**
 * Numbers that may be too large. Most numbers differ from hexadecimal text by what follows an exponent, such as the trace
 * context that messages have. Twenty digits without a quantifier: with one, it takes three times as long.
 */
const MAY_OVERFLOW = new RegExp(`\\d[eE]\\+?\\d\\d+[\\s,\\]}]|${'\\d'.repeat(20)}`);

let envelope: Validator | undefined;

/**
 * Parses the text of one frame.
 * @throws GatewayError INVALID_FRAME: not JSON, too deep, or too many values
 */
export function parseFrame(source: string): unknown {
  if (source.length > HARMLESS_LENGTH) checkSize(source);
  let frame: unknown;
  try {
    frame = JSON.parse(source);
  } catch {
    throw invalidFrame('it is not JSON');
  }
  if (source.length <= HARMLESS_LENGTH) checkDepth(frame, 0);
  return frame;
}

/**
 * Returns a frame parsed from `source` as an envelope.
 * @throws GatewayError INVALID_FRAME: not an envelope, a forbidden key, or a number that is too large
 */
export function checkFrame(frame: unknown, source: string): InboundEnvelope {
  if (MAY_HAVE_FORBIDDEN_KEY.test(source)) checkKeys(frame);
  if (MAY_OVERFLOW.test(source)) checkNumbers(frame);
  envelope ??= Compile(InboundEnvelope);
  if (!envelope.Check(frame)) {
    const [fault] = describeFaults(envelope, frame);
    throw invalidFrame(fault ? `${fault.pointer || '/'} ${fault.message}` : 'it does not fit the envelope');
  }
  return frame as InboundEnvelope;
}

/** Returns the id of a frame that is not valid, if it has a valid one, so that the error can be correlated. */
export function salvageId(source: string): Pick<InboundEnvelope, 'id'> | undefined {
  try {
    const frame: unknown = source.length > HARMLESS_LENGTH ? { id: scanForId(source) } : JSON.parse(source);
    const id = typeof frame === 'object' && frame !== null && 'id' in frame ? frame.id : undefined;
    return typeof id === 'string' && isText(id, ID_RULE) ? { id } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks the payload of a known inbound type.
 * @param source the text that the payload was parsed from; with it, most frames need no check of every string
 * @throws GatewayError INVALID_PAYLOAD with a JSON pointer for each fault
 */
export function checkPayload<T extends InboundType>(type: T, payload: object, source?: string): InboundPayload<T> {
  const faults = findFaults(inboundTable[type].payload, payload, source);
  if (faults.length > 0) throw new GatewayError('INVALID_PAYLOAD', { faults });
  return payload as InboundPayload<T>;
}

/**
 * Counts depth and values before parsing, because parsing a hostile text would block the event loop.
 * @param maxValues by default that of a frame
 * @throws GatewayError INVALID_FRAME
 */
export function checkSize(source: string, maxValues: number = ENVELOPE_LIMITS.maxValues): void {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < source.length; i++) {
    switch (source.charCodeAt(i)) {
      case 0x22: // a string: skip to its closing quote
        i = endOfString(source, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > ENVELOPE_LIMITS.maxDepth) throw tooDeep();
        values++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        values++;
        break;
    }
    if (values > maxValues) throw invalidFrame(`it has more than ${maxValues} values`);
  }
}

/**
 * Returns the text under the key `id` of the outermost object, without parsing the rest: that may be what made the
 * frame invalid, and slow to parse.
 * @throws SyntaxError when the text is not JSON
 */
function scanForId(source: string): unknown {
  let depth = 0;
  let id: string | undefined;
  for (let i = 0; i < source.length; i++) {
    switch (source.charCodeAt(i)) {
      case 0x22: {
        const end = endOfString(source, i);
        if (depth === 1 && end === i + 3 && source.startsWith('"id"', i)) id = textAfterKey(source, end + 1) ?? id;
        i = end;
        break;
      }
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return id === undefined ? undefined : JSON.parse(id);
}

function textAfterKey(source: string, start: number): string | undefined {
  TEXT_VALUE.lastIndex = start;
  return TEXT_VALUE.exec(source)?.[1];
}

/** Reads each character once: a search for quotes is slow in a text of nothing else. */
function endOfString(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    if (unit === 0x22) return i;
    if (unit === 0x5c) i++;
  }
  return source.length;
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === ENVELOPE_LIMITS.maxDepth) throw tooDeep();
  for (const key in value) checkDepth((value as Record<string, unknown>)[key], depth + 1);
}

function checkKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) throw invalidFrame(`the key "${key}" is not allowed`);
    checkKeys(child);
  }
}

/** A number such as 1e400 would be stored, and hashed, as null. */
function checkNumbers(value: unknown): void {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(checkNumbers);
  else if (value === Infinity || value === -Infinity) throw invalidFrame('it has a number that is too large');
}

function tooDeep(): GatewayError {
  return invalidFrame(`it nests deeper than ${ENVELOPE_LIMITS.maxDepth}`);
}

function invalidFrame(reason: string): GatewayError {
  return new GatewayError('INVALID_FRAME', { reason });
}
