import type { DurableFrame, HistoryMessage, OutboundFrame } from '../client/index.js';
import { ReplyState } from './reply-state.js';

type HistoryPage = OutboundFrame<'history'>['payload'];

/** Why a message was turned away, for now or for good. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Where a message is: `unsent` until the gateway has stored it, `refused` when it never will, `open` until its reply
 * has ended.
 */
export type MessagePhase = 'unsent' | 'refused' | 'open' | 'ended';

/** One message and its reply. */
export interface Message {
  /** What the page tells messages apart by, for as long as it shows them. */
  readonly key: number;
  /** The sender's own id of it: unique for one client only. */
  readonly id: string;
  /** The gateway's name of it, once it is stored. */
  ref: string | undefined;
  /** Undefined when it was sent from elsewhere and nobody has told what it says. */
  content: string | undefined;
  sender: string;
  senderName: string | undefined;
  attachments: HistoryMessage['attachments'];
  /** Unix milliseconds; the gateway's clock once it is stored. */
  sentAt: number;
  /** Whether `sentAt` is when it was stored, and not when the first frame of its reply came. */
  isPlaced: boolean;
  phase: MessagePhase;
  /** Why it is refused, or still unsent though the gateway was asked. */
  refusal: Refusal | undefined;
  /** Whether somebody has asked to end it. */
  isCancelling: boolean;
  readonly reply: ReplyState;
  /** Grows with every change, so that what has not changed is not drawn again. */
  version: number;
}

/**
 * One conversation as the page knows it, in the order of its messages. It is told every frame of its session and works
 * out what they mean; it sends nothing.
 *
 * Frames come in the order of the log and once. What the history says counts for a message that is known already only
 * when it is at least as new as the last frame taken.
 */
export class Conversation {
  messages: Message[] = [];
  /** For the page of messages before the first; undefined when there are none, or nothing was read yet. */
  olderCursor: string | undefined;
  isLoaded = false;
  #position = 0;
  /** Frames up to here were read again from the log. */
  #replayedUpTo = 0;
  /** What frames up to here say the history has told when it was first read, but for what tools did. */
  #toldUpTo = 0;
  #nextKey = 0;

  /** `sender`: as whom the page speaks here. */
  constructor(
    readonly sender: string,
    public sessionId: string | undefined,
  ) {}

  /** Whether a reply is under way of which the history does not tell what its tools do. */
  get hasRunningTools(): boolean {
    return this.messages.some(
      ({ phase, reply }) => phase === 'open' && reply.standing.at(-1)?.block_type === 'tool_call',
    );
  }

  /** The first message whose reply is to come: the one that runs, or will next. */
  get current(): Message | undefined {
    return this.messages.find(({ phase }) => phase === 'open');
  }

  /** Whether there are messages of which only replies are known: the history has to tell what they say. */
  get hasGaps(): boolean {
    return this.messages.some(({ content }) => content === undefined);
  }

  findUnsent(id: string | undefined): Message | undefined {
    return this.messages.find((message) => message.phase === 'unsent' && message.id === id);
  }

  addUnsent(id: string, content: string, now: number, attachments: Message['attachments'] = []): Message {
    const message = this.#makeMessage({ id, content, attachments, sender: this.sender, sentAt: now, phase: 'unsent' });
    this.messages.push(message);
    return message;
  }

  remove(message: Message): void {
    const place = this.messages.indexOf(message);
    if (place >= 0) this.messages.splice(place, 1);
  }

  /** Whether a frame was written while this page was connected, rather than read again from the log. */
  isLive(frame: DurableFrame): boolean {
    return frame.seq > this.#replayedUpTo;
  }

  take(frame: OutboundFrame): void {
    switch (frame.type) {
      case 'message_ack':
        return this.#acknowledge(frame);
      case 'stream_delta':
        return this.#takeDelta(frame);
      case 'history':
        return this.#takeHistory(frame.payload);
      case 'resumed':
        this.#replayedUpTo = frame.payload.head_seq;
        return;
      case 'error':
        return this.#refuse(frame);
      case 'stream_block':
      case 'stream_restart':
      case 'tool_status':
      case 'stream_end':
        return this.#takeDurable(frame as DurableFrame);
      default:
    }
  }

  /** The connection was lost: deltas are missed from here on, and nobody knows whether a cancel was heard. */
  interrupt(): void {
    for (const message of this.messages) {
      if (message.phase === 'ended') continue;
      message.reply.interrupt();
      message.isCancelling = false;
      message.refusal = message.phase === 'unsent' ? undefined : message.refusal;
      message.version++;
    }
  }

  /** The gateway knows nothing of the session: what comes is another's. */
  beginAnew(): void {
    this.sessionId = undefined;
    this.#position = 0;
    this.#toldUpTo = 0;
  }

  /** Nobody can tell what these messages say: their replies are shown alone. */
  closeGaps(): void {
    for (const message of this.messages) message.content ??= '';
  }

  #acknowledge({ correlation_id, timestamp, payload }: OutboundFrame<'message_ack'>): void {
    const message = this.findUnsent(correlation_id);
    if (!message) return;
    message.ref = payload.message_ref;
    message.sentAt = timestamp;
    message.isPlaced = true;
    message.phase = payload.status === 'observed' ? 'ended' : 'open';
    message.refusal = undefined;
    message.reply.hasAllDeltas = payload.status === 'queued';
    message.version++;
    this.#sort();
  }

  #refuse({ correlation_id, payload: { code, message, retryable } }: OutboundFrame<'error'>): void {
    if (code === 'STALE_RESUME') {
      this.#position = 0;
      this.#toldUpTo = 0;
    }
    const refused = this.findUnsent(correlation_id);
    if (!refused) return;
    refused.refusal = { code, message };
    if (!retryable) refused.phase = 'refused';
    refused.version++;
  }

  #takeDurable(frame: DurableFrame): void {
    if (frame.seq <= this.#toldUpTo) return this.#takeAgain(frame);
    this.#position = frame.seq;
    const message = this.#findOrMake(frame);
    message.reply.take(frame, this.isLive(frame));
    message.phase = message.reply.end ? 'ended' : 'open';
    message.version++;
  }

  #takeAgain(frame: DurableFrame): void {
    const message = this.messages.find(({ ref }) => ref === frame.payload.message_ref);
    if (frame.type !== 'tool_status' || !message || message.phase === 'ended') return;
    message.reply.take(frame, false);
    message.version++;
  }

  #takeDelta(frame: OutboundFrame<'stream_delta'>): void {
    const message = this.#findOrMake(frame);
    message.reply.takeDelta(frame.payload);
    message.version++;
  }

  /** Frames can come before the acknowledgement of their message, and for messages that were sent from elsewhere. */
  #findOrMake(frame: DurableFrame | OutboundFrame<'stream_delta'>): Message {
    const { payload, correlation_id, timestamp } = frame;
    const ref = payload.message_ref;
    const known = this.messages.find((message) => message.ref === ref) ?? this.findUnsent(correlation_id);
    if (known) {
      if (known.phase === 'unsent') known.phase = 'open';
      known.ref = ref;
      return known;
    }
    const id = 'message_id' in payload ? payload.message_id : payload.id;
    const message = this.#makeMessage({ id, ref, sentAt: timestamp, phase: 'open', hasAllDeltas: true });
    this.messages.push(message);
    this.#sort();
    return message;
  }

  #takeHistory(page: HistoryPage): void {
    const isNews = page.head_seq >= this.#position;
    const isFirst = !this.isLoaded;
    const refs = new Set<string | undefined>(page.messages.map((message) => message.message_ref));
    // Messages of one moment stay in the order in which they were told: a page goes where it overlaps, or before all.
    const place = Math.max(
      0,
      this.messages.findIndex(({ ref, isPlaced }) => isPlaced && refs.has(ref)),
    );
    const told = new Set(page.messages.map((message) => this.#takeTold(message, isNews, isFirst)));
    const isOther = (message: Message) => !told.has(message);
    this.messages = [
      ...this.messages.slice(0, place).filter(isOther),
      ...told,
      ...this.messages.slice(place).filter(isOther),
    ];
    this.#sort();
    if (isNews) this.#position = page.head_seq;
    if (isFirst) this.#toldUpTo = page.head_seq;
    this.isLoaded = true;
  }

  #takeTold(told: HistoryMessage, isNews: boolean, isFirst: boolean): Message {
    const known = this.messages.find(({ ref }) => ref === told.message_ref) ?? this.findUnsent(told.message_id);
    const message = known ?? this.#makeMessage({ id: told.message_id, phase: 'open', sentAt: told.sent_at });
    message.ref = told.message_ref;
    message.content = told.content;
    message.sender = told.sender;
    message.senderName = told.sender_name;
    message.attachments = told.attachments;
    message.sentAt = told.sent_at;
    message.isPlaced = true;
    // A reply that is seen as it is written has nothing to learn before its end.
    if (!known || isFirst || (isNews && (told.end || !message.reply.hasAllDeltas))) {
      message.reply.settle(told);
      message.phase = told.end || told.status === 'observed' ? 'ended' : 'open';
    }
    message.version++;
    return message;
  }

  #makeMessage(
    fields: Partial<Message> & Pick<Message, 'id' | 'phase' | 'sentAt'> & { hasAllDeltas?: boolean },
  ): Message {
    const { hasAllDeltas = false, ...given } = fields;
    return {
      key: this.#nextKey++,
      ref: undefined,
      content: undefined,
      sender: '',
      senderName: undefined,
      attachments: [],
      refusal: undefined,
      isCancelling: false,
      isPlaced: false,
      reply: new ReplyState(hasAllDeltas),
      version: 0,
      ...given,
    };
  }

  /** What is not stored comes last, in the order it was written; a sort keeps the order of equals. */
  #sort(): void {
    const order = ({ ref, sentAt }: Message) => (ref === undefined ? Number.POSITIVE_INFINITY : sentAt);
    this.messages.sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
  }
}
