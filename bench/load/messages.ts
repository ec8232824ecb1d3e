import { FIELDS, FrameTemplate } from './frames.ts';
import type { Dialect } from './load-socket.ts';

/** Fields of a message that differ between loads. */
export interface MessageFields {
  readonly content?: string;
  readonly group_id?: string;
  readonly is_direct_mention?: true;
}

/**
 * Builds a message of about 330 bytes, as a channel driver writes it: one sentence and a trace context.
 * @param flags of the trace: `01` if it is recorded
 */
export function messageIn(id: string, sender: string, fields: MessageFields = {}, flags = '01'): string {
  return JSON.stringify({
    type: 'message_in',
    id,
    timestamp: 1_795_334_400_000,
    payload: {
      channel: 'telegram',
      sender,
      sender_name: 'Ada Lovelace',
      content: SENTENCE,
      metadata: { traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}` },
      ...fields,
    },
  });
}

const SENTENCE = 'Could you look up when the next train to the coast leaves, and whether it stops at the old harbour?';

/**
 * The kind of a message: `main` is part of a person's own conversation, `group` is observed as context, `mention`
 * addresses the agent in a group.
 */
export type MessageKind = 'main' | 'group' | 'mention';

/** Builds the template of a load's messages. Ids start with their number and are unique by `suffix`. */
export function messageTemplate(dialect: Dialect, kind: MessageKind, suffix: string, flags?: string): FrameTemplate {
  const id = `${FIELDS.id}-${suffix}`;
  const group = {
    group_id: `group-${FIELDS.session}`,
    ...(kind === 'mention' && { is_direct_mention: true as const }),
  };
  const message =
    kind === 'main'
      ? messageIn(id, `person-${FIELDS.session}`, {}, flags)
      : messageIn(id, `person-${FIELDS.sender}`, group, flags);
  return new FrameTemplate(wrap(dialect, message));
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
