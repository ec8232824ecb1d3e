import type { Progress } from '@modelcontextprotocol/sdk/types.js';
import { toPlainText } from '../plain-text.js';

/** Longest text in a result, in characters. */
const MAX_SHOWN_LENGTH = 100_000;
const MAX_REASON_LENGTH = 4_096;
const MAX_PROGRESS_LENGTH = 256;
/** Limit of parts that are read of a result. */
const MAX_PARTS = 1_000;

/** A result for an agent. It is data, never an instruction. */
export interface McpResult {
  readonly text: string;
  /** Describes the parts missing from the text. */
  readonly note?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the text of a result, with a note for each part that is not text. Accepts results of any shape and reads what
 * it can.
 * @throws Error with the text if the result is an error
 */
export function readResult({ content, structuredContent, isError }: Fields): McpResult {
  const listed = Array.isArray(content) ? content : content === undefined || content === null ? [] : [content];
  const parts = listed.slice(0, MAX_PARTS).map(describePart);
  if (structuredContent !== undefined && structuredContent !== null && !listed.some(hasText))
    parts.push(JSON.stringify(structuredContent));
  const whole = parts.join('\n');
  const text = toPlainText(whole.slice(0, MAX_SHOWN_LENGTH));
  if (isError !== undefined && isError !== null && isError !== false)
    throw new Error(text === '' ? 'the server gave no reason' : text.slice(0, MAX_REASON_LENGTH));
  const notes = [
    whole.length > MAX_SHOWN_LENGTH && `only the first ${text.length} of ${whole.length} characters are shown`,
    listed.length > MAX_PARTS && `only the first ${MAX_PARTS} of ${listed.length} parts are shown`,
  ].filter((note) => note !== false);
  return { text, ...(notes.length > 0 && { note: notes.join('; ') }) };
}

function hasText(part: unknown): boolean {
  return typeof part === 'string' || (isFields(part) && typeof part['text'] === 'string');
}

function describePart(part: unknown): string {
  if (typeof part === 'string') return part;
  if (!isFields(part)) return '[a part that cannot be read]';
  const { type, text, data, resource, name, uri } = part;
  if (typeof text === 'string') return text;
  if (type === 'image' || type === 'audio') {
    const bytes = typeof data === 'string' ? Math.floor(data.length * 0.75) : 0;
    return `[${type}, ${typeOf(part)}, ${bytes} bytes]`;
  }
  if (type === 'resource_link') return `[resource ${asWord(name ?? uri)}: ${asWord(uri)}]`;
  if (type === 'resource' && isFields(resource)) {
    if (typeof resource['text'] === 'string') return resource['text'];
    return `[resource ${asWord(resource['uri'])}, ${typeOf(resource)}]`;
  }
  return `[a part of type ${asWord(type)} that cannot be read]`;
}

function typeOf({ mimeType }: Fields): string {
  return typeof mimeType === 'string' ? mimeType : 'of unknown type';
}

function asWord(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a short text about the progress of a call. */
export function describeProgress({ progress, total, message }: Progress): string {
  const amount = total === undefined ? `${progress}` : `${progress} of ${total}`;
  return toPlainText(message === undefined ? amount : `${amount}: ${message}`).slice(0, MAX_PROGRESS_LENGTH);
}
