import type {
  HistoryMessage,
  HistoryPayload,
  HistoryResultPayload,
  OutboundFrame,
  ResumedPayload,
} from '../protocol/index.js';
import {
  beginReply,
  interruptReply,
  takeDelta,
  takeFrame,
  takeHistory,
  type ReplyState,
} from '../protocol/reply-state.js';
import type { DurableFrame } from './frames.js';
import type { SessionPosition } from './sessions.js';
import { createMessage, inOrder, type NewMessage, type TranscriptMessage } from './transcript-message.js';

/** Messages on a page of the history, and on the page that is searched for the text of messages sent by other clients. */
const PAGE_SIZE = 30;
const GAP_PAGE_SIZE = 20;

/**
 * Number of frames before the head that are read again for the states of running tools, which the history does not
 * contain.
 */
const TOOL_FRAMES = 200;

/** The fields of a message that the owner of a transcript sends. */
export type SentMessage = Pick<TranscriptMessage, 'id' | 'sender' | 'content' | 'sentAt' | 'attachments'> &
  Partial<Pick<TranscriptMessage, 'supersedes' | 'canvas'>>;

/** The requests with which a transcript is read; a `GatewayClient` provides them. */
export interface TranscriptSource {
  history(sessionId: string, page: HistoryPayload): Promise<HistoryResultPayload>;
  resume(positions: readonly SessionPosition[]): Promise<readonly ResumedPayload[]>;
}

/**
 * One session as its reader sees it: messages in order, each with its reply.
 *
 * The owner passes it every frame of the session that its client emits, including the responses to messages it added.
 * {@link load}, {@link loadOlder} and {@link fillGaps} send requests to the gateway; their history pages arrive as
 * frames too, so they keep their place among the others. A transcript can outlive its client and continue with the next
 * one.
 */
export class Transcript {
  /** True when the newest messages have been read. */
  isLoaded = false;
  /** True while an earlier page is being read. */
  isLoadingOlder = false;
  /** True when the last attempt to read an earlier page failed. */
  isOlderMissing = false;
  /** The cursor of the page before the first message; undefined when there is none, or before the first read. */
  olderCursor: string | undefined;
  #messages: readonly TranscriptMessage[] = [];
  /** The head seq of the first page: frames up to it belong to messages on that page, or to older ones. */
  #loadedUpTo = 0;
  #isReading = false;
  #nextKey = 0;

  /** `sessionId`: undefined for a conversation whose first message is not stored yet. */
  constructor(public sessionId: string | undefined) {}

  get messages(): readonly TranscriptMessage[] {
    return this.#messages;
  }

  /** The first message whose reply has not ended: the one that runs or will run next. */
  get current(): TranscriptMessage | undefined {
    return this.#messages.find(({ phase }) => phase === 'open');
  }

  /** True when the text of a message is unknown, because another client sent it. */
  get hasGaps(): boolean {
    return this.#messages.some(({ content }) => content === undefined);
  }

  findUnsent(id: string | undefined): TranscriptMessage | undefined {
    return this.#messages.find((message) => message.phase === 'unsent' && message.id === id);
  }

  /** Adds a message that the owner is sending. */
  add(message: SentMessage): TranscriptMessage {
    return this.#insert({ ...message, phase: 'unsent' });
  }

  remove({ key }: TranscriptMessage): void {
    this.#messages = this.#messages.filter((message) => message.key !== key);
  }

  /** Takes a frame that the client emitted. `isLive`: written while the client followed the session. */
  take(frame: OutboundFrame, isLive: boolean): void {
    switch (frame.type) {
      case 'message_ack':
        return this.#acknowledge(frame);
      case 'stream_delta':
        return this.#takeReply(frame, (reply) => takeDelta(reply, frame.payload));
      case 'history':
        return this.#takeHistory(frame.payload);
      case 'error':
        return this.#refuse(frame);
      case 'stream_block':
      case 'stream_restart':
      case 'tool_status':
      case 'stream_end': {
        const durable = frame as DurableFrame;
        return this.#takeReply(durable, (reply) => takeFrame(reply, durable, isLive));
      }
      default:
    }
  }

  /** Marks that the connection was lost: deltas are missed from here on, and temporary refusals no longer apply. */
  interrupt(): void {
    this.#messages = this.#messages.map((message) => {
      if (message.phase === 'ended') return message;
      const refusal = message.phase === 'unsent' ? undefined : message.refusal;
      return { ...message, reply: interruptReply(message.reply), refusal };
    });
  }

  /**
   * Reads the newest messages, then follows the session from there. Does nothing when that is done or in progress.
   * @throws GatewayError, ConnectionEndedError
   */
  async load(source: TranscriptSource): Promise<void> {
    const { sessionId } = this;
    if (sessionId === undefined || this.isLoaded || this.#isReading) return;
    await this.#read(async () => {
      const page = await source.history(sessionId, { limit: PAGE_SIZE });
      const replayed = this.#hasRunningTools ? TOOL_FRAMES : 0;
      await source.resume([{ session_id: sessionId, after_seq: Math.max(0, page.head_seq - replayed) }]);
    });
    await this.fillGaps(source);
  }

  /**
   * Reads the page of messages before the first one. Never rejects: after a failure {@link isOlderMissing} is true, and the
   * next call tries again.
   */
  async loadOlder(source: TranscriptSource): Promise<void> {
    const { sessionId, olderCursor: before } = this;
    if (sessionId === undefined || before === undefined || this.isLoadingOlder) return;
    this.isLoadingOlder = true;
    this.isOlderMissing = false;
    try {
      this.olderCursor = (await source.history(sessionId, { limit: PAGE_SIZE, before })).next_before;
    } catch {
      this.isOlderMissing = true;
    } finally {
      this.isLoadingOlder = false;
    }
  }

  /**
   * Reads the texts of messages that other clients sent. Those that are not among the newest get an empty text.
   * @throws GatewayError, ConnectionEndedError
   */
  async fillGaps(source: TranscriptSource): Promise<void> {
    const { sessionId } = this;
    if (sessionId === undefined || !this.hasGaps || this.#isReading) return;
    try {
      await this.#read(() => source.history(sessionId, { limit: GAP_PAGE_SIZE }));
    } finally {
      this.#messages = this.#messages.map((message) => ({ ...message, content: message.content ?? '' }));
    }
  }

  /** Marks that the client was replaced: the newest messages have to be read again. */
  unload(): void {
    this.isLoaded = false;
  }

  /** Detaches the transcript from a session that the gateway does not know: the next message starts a new session. */
  startNewSession(): void {
    this.sessionId = undefined;
    this.#distrustLog();
  }

  async #read(read: () => Promise<unknown>): Promise<void> {
    this.#isReading = true;
    try {
      await read();
    } finally {
      this.#isReading = false;
    }
  }

  /** True when a reply is running whose tools may have states that the history does not contain. */
  get #hasRunningTools(): boolean {
    return this.#messages.some(
      ({ phase, reply }) =>
        phase === 'open' && reply.standing[reply.standing.length - 1]?.block.block_type === 'tool_call',
    );
  }

  #acknowledge({ correlation_id, session_id, timestamp, payload }: OutboundFrame<'message_ack'>): void {
    const message = this.findUnsent(correlation_id);
    if (!message) return;
    const { message_ref: ref, status, mode } = payload;
    this.#update(message, {
      ref,
      sentAt: timestamp,
      isPlaced: true,
      ahead: status === 'queued' ? payload.position : undefined,
      phase: status === 'observed' ? 'ended' : 'open',
      refusal: undefined,
      reply: { ...message.reply, hasAllDeltas: status === 'queued' },
    });
    if (message.supersedes !== undefined) this.#supersede(message.supersedes, ref, mode === 'main');
    if (this.sessionId !== undefined || session_id === undefined) return;
    this.sessionId = session_id;
    // The session is new: there is nothing to read.
    this.isLoaded = true;
  }

  /** Marks a message, and in a main session all after it up to the new one, as the gateway has done. */
  #supersede(superseded: string, by: string, withLater: boolean): void {
    const from = this.#messages.findIndex(({ ref }) => ref === superseded);
    this.#messages = this.#messages.map((message, place) => {
      const isMeant = message.ref === superseded || (withLater && message.ref !== undefined && place > from);
      return isMeant && message.ref !== by ? { ...message, supersededBy: message.supersededBy ?? by } : message;
    });
  }

  #refuse({ correlation_id, payload: { code, message, retryable } }: OutboundFrame<'error'>): void {
    if (code === 'STALE_RESUME') this.#replaceLog();
    const refused = this.findUnsent(correlation_id);
    if (refused) this.#update(refused, { refusal: { code, message }, phase: retryable ? 'unsent' : 'refused' });
  }

  /** Another log has replaced this one, and may lack messages. The next page of the history shows those that it has. */
  #replaceLog(): void {
    this.#messages = this.#messages.filter(({ phase }) => phase === 'unsent' || phase === 'refused');
    this.#loadedUpTo = 0;
    this.olderCursor = undefined;
    this.isLoaded = false;
  }

  /** The log no longer exists: positions in it are no longer valid. */
  #distrustLog(): void {
    this.#loadedUpTo = 0;
    this.#messages = this.#messages.map((message) => ({ ...message, reply: { ...message.reply, upTo: 0 } }));
  }

  /** Frames can arrive before the acknowledgement of their message, and for messages that other clients sent. */
  #takeReply(frame: DurableFrame | OutboundFrame<'stream_delta'>, take: (reply: ReplyState) => ReplyState): void {
    const { payload, correlation_id, timestamp, seq } = frame;
    const ref = payload.message_ref;
    const known = this.#messages.find((message) => message.ref === ref) ?? this.findUnsent(correlation_id);
    if (!known && seq !== undefined && seq <= this.#loadedUpTo) return;
    const id = 'message_id' in payload ? payload.message_id : payload.id;
    const begun = beginReply(frame.type === 'stream_delta');
    const message = known ?? this.#insert({ id, ref, sentAt: timestamp, phase: 'open', reply: begun });
    const reply = take(message.reply);
    const isEnd = reply.end !== undefined && message.phase !== 'ended';
    this.#update(message, { ref, reply, phase: isEnd || message.phase === 'ended' ? 'ended' : 'open' });
    if (isEnd) this.#moveUp(message);
  }

  /** The reply to `ended` has ended, so the messages that wait behind it move up. */
  #moveUp({ key, sentAt }: TranscriptMessage): void {
    this.#messages = this.#messages.map((message) =>
      message.key !== key && message.phase === 'open' && message.sentAt >= sentAt && message.ahead
        ? { ...message, ahead: message.ahead - 1 }
        : message,
    );
  }

  #takeHistory(page: HistoryResultPayload): void {
    const isFirst = !this.isLoaded;
    const refs = new Set<string | undefined>(page.messages.map((message) => message.message_ref));
    // Messages with equal timestamps keep the order of the history: a page is inserted where it overlaps, or before
    // everything.
    const overlap = this.#messages.findIndex(({ ref, isPlaced }) => isPlaced && refs.has(ref));
    const place = Math.max(0, overlap);
    const merged = page.messages.map((message) => this.#mergeHistory(message, page.head_seq, isFirst));
    const keys = new Set(merged.map(({ key }) => key));
    const isOther = ({ key }: TranscriptMessage) => !keys.has(key);
    this.#messages = inOrder([
      ...this.#messages.slice(0, place).filter(isOther),
      ...merged,
      ...this.#messages.slice(place).filter(isOther),
    ]);
    if (isFirst) {
      this.#loadedUpTo = page.head_seq;
      this.olderCursor = page.next_before;
    }
    this.isLoaded = true;
  }

  #mergeHistory(entry: HistoryMessage, headSeq: number, isFirst: boolean): TranscriptMessage {
    const known =
      this.#messages.find(({ ref }) => ref === entry.message_ref) ??
      this.findUnsent(entry.message_id) ??
      createMessage(this.#nextKey++, { id: entry.message_id, phase: 'open', sentAt: entry.sent_at });
    // Before the first page the session was not followed, so a block may have started unseen.
    const reply = takeHistory(isFirst ? interruptReply(known.reply) : known.reply, entry, headSeq);
    const isEnded = reply.end !== undefined || entry.status === 'observed';
    return {
      ...known,
      ref: entry.message_ref,
      content: entry.content,
      sender: entry.sender,
      senderName: entry.sender_name,
      principal: entry.principal,
      attachments: entry.attachments,
      canvas: entry.canvas,
      sentAt: entry.sent_at,
      supersededBy: entry.superseded_by,
      isPlaced: true,
      phase: isEnded ? 'ended' : 'open',
      reply,
    };
  }

  #insert(fields: NewMessage): TranscriptMessage {
    const message = createMessage(this.#nextKey++, fields);
    this.#messages = inOrder([...this.#messages, message]);
    return message;
  }

  #update(message: TranscriptMessage, changes: Partial<TranscriptMessage>): void {
    const changed = { ...message, ...changes };
    const messages = this.#messages.map((each) => (each.key === message.key ? changed : each));
    this.#messages = message.ref === changed.ref && message.sentAt === changed.sentAt ? messages : inOrder(messages);
  }
}
