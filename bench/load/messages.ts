import { FrameTemplate } from './frames.ts';
import type { Dialect } from './load-socket.ts';

/** Builds a message of about 330 bytes, as a channel driver writes it: one sentence and a trace context. */
export function messageIn(id: string, sender: string, content = SENTENCE): string {
  return JSON.stringify({
    type: 'message_in',
    id,
    timestamp: 1_795_334_400_000,
    payload: {
      channel: 'telegram',
      sender,
      sender_name: 'Ada Lovelace',
      content,
      metadata: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    },
  });
}

const SENTENCE = 'Could you look up when the next train to the coast leaves, and whether it stops at the old harbour?';

/** Returns templates for the senders' messages; ids start with `idPrefix` and are unique within one flood. */
export function messageTemplates(dialect: Dialect, senders: readonly string[], idPrefix: string): FrameTemplate[] {
  return senders.map((sender) => new FrameTemplate((id) => wrap(dialect, messageIn(id, sender)), idPrefix));
}

function wrap(dialect: Dialect, message: string): string {
  return dialect === 'socket-io' ? `42["message_in",${message}]` : message;
}

/** The kind of a server's frame, detected from its first bytes. */
export type FrameKind = 'ack' | 'block' | 'end' | 'error' | 'other';

const M = 'm'.charCodeAt(0);
const S = 's'.charCodeAt(0);
const E = 'e'.charCodeAt(0);
const FOUR = '4'.charCodeAt(0);
/** The offset of the type in `{"type":"...`, and the offset at which `stream_block` and `stream_end` differ. */
const TYPE_AT = 9;
const STREAM_KIND_AT = TYPE_AT + 'stream_'.length;

/** Classifies a text frame. */
export function classify(bytes: Buffer, start: number): FrameKind {
  if (bytes[start] === FOUR) return 'ack';
  const first = bytes[start + TYPE_AT];
  // The stock Nest adapter writes {"event":"message_ack", with the name at the eleventh byte.
  if (first === M || bytes[start + TYPE_AT + 1] === M) return 'ack';
  if (first === E) return 'error';
  if (first !== S) return 'other';
  return bytes[start + STREAM_KIND_AT] === E ? 'end' : 'block';
}
