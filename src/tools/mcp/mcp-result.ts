import type { CallToolResult, Progress } from '@modelcontextprotocol/sdk/types.js';
import { toPlainText } from '../plain-text.js';

/** What is shown of an answer's text, in characters. */
const MAX_SHOWN_LENGTH = 100_000;
const MAX_PROGRESS_LENGTH = 256;

/** An answer as an agent gets it. Whatever it says, it is data and no instruction. */
export interface McpResult {
  readonly text: string;
  /** What of the answer is not here. */
  readonly note?: string;
}

/**
 * The text of an answer; what is no text is named.
 * @throws Error with the text, when the server calls it an error
 */
export function readResult(result: CallToolResult): McpResult {
  const parts = result.content.map(describePart);
  const hasText = result.content.some(({ type }) => type === 'text');
  if (!hasText && result.structuredContent !== undefined) parts.push(JSON.stringify(result.structuredContent));
  const whole = toPlainText(parts.join('\n'));
  const text = whole.slice(0, MAX_SHOWN_LENGTH).toWellFormed();
  if (result.isError) throw new Error(text === '' ? 'the server gives no reason' : text.slice(0, 4_096));
  return {
    text,
    ...(text.length < whole.length && {
      note: `only the first ${text.length} of ${whole.length} characters are shown`,
    }),
  };
}

function describePart(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'image':
    case 'audio':
      return `[${part.type}, ${part.mimeType}, ${Math.floor(part.data.length * 0.75)} bytes]`;
    case 'resource_link':
      return `[resource ${part.name}: ${part.uri}]`;
    case 'resource':
      return 'text' in part.resource
        ? part.resource.text
        : `[resource ${part.resource.uri}, ${part.resource.mimeType ?? 'of unknown type'}]`;
  }
}

/** How far a call is, in a few words. */
export function describeProgress({ progress, total, message }: Progress): string {
  const amount = total === undefined ? `${progress}` : `${progress} of ${total}`;
  return toPlainText(message === undefined ? amount : `${amount}: ${message}`).slice(0, MAX_PROGRESS_LENGTH);
}
