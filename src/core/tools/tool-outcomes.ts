import { GatewayError, type ErrorDetails } from '../../protocol/domain.js';
import { toSafeText } from '../store/safe-text.js';
import { ToolResult, type FailedOutcome, type ToolErrorCode, type ToolOutcome } from './tool.js';

/** Maximum length of a result as JSON, in UTF-16 units. */
const MAX_RESULT_LENGTH = 262_144;
/** Maximum nesting of a result: what reads it later calls itself for each level. */
const MAX_RESULT_DEPTH = 100;

/** A failed outcome with the message of the error table. */
export function failure<C extends ToolErrorCode>(code: C, details: ErrorDetails[C]): FailedOutcome {
  return { ok: false, code, message: new GatewayError(code, details).message, details };
}

/** Returns what a tool has returned as the outcome of its call: a copy as JSON whose texts every reader can take. */
export function checkResult(tool: string, returned: unknown): ToolOutcome {
  const refuse = (reason: string) => failure('TOOL_FAILED', { tool, reason });
  const { text, images } = readResult(returned);
  if (text === undefined) return refuse('its result is not JSON');
  if (text.length > MAX_RESULT_LENGTH) return refuse(`its result has more than ${MAX_RESULT_LENGTH} characters`);
  // A copy: the getters of the result itself could return something else later.
  const copy: unknown = JSON.parse(text);
  if (isDeeper(copy, MAX_RESULT_DEPTH)) return refuse(`its result nests deeper than ${MAX_RESULT_DEPTH} levels`);
  const content: unknown = UNSAFE.test(text) ? JSON.parse(text, makeSafe) : copy;
  return { ok: true, content, ...(images.length > 0 && { images }) };
}

/** What {@link JSON.stringify} writes for NUL and for half of a surrogate pair. It may also be plain text after a backslash. */
const UNSAFE = /\\u(0000|d[89a-f])/;

function makeSafe(_key: string, part: unknown): unknown {
  return typeof part === 'string' ? toSafeText(part) : part;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeper(child, levels - 1));
}

/** Returns a result as JSON; without `text` if it is none: a function, a cycle, a BigInt, a getter that throws, too deep. */
function readResult(returned: unknown): { readonly text?: string | undefined; readonly images: ToolResult['images'] } {
  try {
    const { content, images } = returned instanceof ToolResult ? returned : new ToolResult(returned, []);
    return { text: JSON.stringify(content ?? null), images };
  } catch {
    return { images: [] };
  }
}

/** Returns what a tool has thrown, if that is an error whose message can be read, or an error that says what can be read of it. */
export function toReadableError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error)) return new Error(String(thrown));
    if (typeof Object.getOwnPropertyDescriptor(thrown, 'message')?.value === 'string') return thrown;
    const { message }: { readonly message: unknown } = thrown;
    return new Error(String(message));
  } catch {
    return new Error('it has thrown something that cannot be read');
  }
}
