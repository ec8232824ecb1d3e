import type { HistoryMessage } from '../protocol/index.js';
import { beginReply, type ReplyState } from '../protocol/reply-state.js';

/** Why a message was refused, temporarily or permanently. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * The state of a message: `unsent` until the gateway has stored it, `refused` when it never will, `open` until its
 * reply has ended.
 */
export type MessagePhase = 'unsent' | 'refused' | 'open' | 'ended';

/** One message and its reply. Immutable: a change creates another object with the same `key`. */
export interface TranscriptMessage {
  /** Identifies the message within its transcript, for the transcript's lifetime. */
  readonly key: number;
  /** The sender's own id of the message, unique for one client only. */
  readonly id: string;
  /** The gateway's reference to the message, once it is stored. */
  readonly ref: string | undefined;
  /** Undefined when another client sent it and its text has not been read from the history yet. */
  readonly content: string | undefined;
  readonly sender: string;
  readonly senderName: string | undefined;
  /** The principal that sent it; undefined until it is read from the history. */
  readonly principal: string | undefined;
  readonly attachments: HistoryMessage['attachments'];
  /** The action of the person on a surface; the content is the label that they pressed. */
  readonly canvas: HistoryMessage['canvas'];
  /** Unix milliseconds, from the gateway's clock once the message is stored. */
  readonly sentAt: number;
  /** True when `sentAt` is the time of storing, false when it is the time of the reply's first frame. */
  readonly isPlaced: boolean;
  readonly phase: MessagePhase;
  /** Number of waiting messages of the session that are answered before it; undefined if not known. */
  readonly ahead: number | undefined;
  /** Why it is refused, or still unsent after an attempt. */
  readonly refusal: Refusal | undefined;
  /** The ref of the message that this one supersedes, known for messages that this client sends. */
  readonly supersedes: string | undefined;
  /** The ref of the message that supersedes this one: the agent no longer has this exchange in its context. */
  readonly supersededBy: string | undefined;
  readonly reply: ReplyState;
}

/** The known fields of a message that is added to a transcript. */
export type NewMessage = Partial<TranscriptMessage> & Pick<TranscriptMessage, 'id' | 'phase' | 'sentAt'>;

/** Creates a message. `key` must be unique within its transcript. */
export function createMessage(key: number, fields: NewMessage): TranscriptMessage {
  return {
    key,
    ref: undefined,
    content: undefined,
    sender: '',
    senderName: undefined,
    principal: undefined,
    attachments: [],
    canvas: undefined,
    refusal: undefined,
    isPlaced: false,
    ahead: undefined,
    supersedes: undefined,
    supersededBy: undefined,
    reply: beginReply(),
    ...fields,
  };
}

/**
 * Orders stored messages by time; messages that are not stored come last, in the order they were written. The sort is
 * stable.
 */
export function inOrder(messages: readonly TranscriptMessage[]): readonly TranscriptMessage[] {
  const order = ({ ref, sentAt }: TranscriptMessage) => (ref === undefined ? Number.POSITIVE_INFINITY : sentAt);
  return [...messages].sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
}
