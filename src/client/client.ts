import { GatewayError } from '../protocol/errors.js';
import type {
  ApprovalPayload,
  ChannelStatusPayload,
  ConnectedPayload,
  HistoryPayload,
  HistoryResultPayload,
  InboundType,
  MessageInPayload,
  OutboundFrame,
  PresencePayload,
  ReactionPayload,
  ResumedPayload,
} from '../protocol/index.js';
import { Connection, type ConnectionState } from './connection.js';
import { Deliveries } from './deliveries.js';
import { ConnectionEndedError, WithdrawnError } from './errors.js';
import { encodeFrame, isDurable, newId, type DurableFrame, type ExtensionType, type PayloadOf } from './frames.js';
import type { SocketConstructor } from './link.js';
import { Listeners } from './listeners.js';
import { Outbox } from './outbox.js';
import { Recovery } from './recovery.js';
import { Replies } from './replies.js';
import { ReplyFeed } from './reply-feed.js';
import { Reply } from './reply.js';
import { Requests } from './requests.js';
import { Sessions, type SessionPosition } from './sessions.js';
import { systemTimers, type Timers } from './timers.js';

export interface GatewayClientOptions {
  /** `http://`, `https://`, `ws://` or `wss://`, host and port. */
  readonly url: string;
  /** Travels in the handshake, never in the URL. None for a gateway in open mode. */
  readonly token?: string;
  /**
   * 1 to 64 of `A-Za-z0-9._-`; made up when missing. The gateway recognises repeated messages and remembers deliveries
   * for (principal, client id), so a program that wants to go on after its own restart names itself. One connection for
   * each: a second one under the same name ends the first with 4010.
   */
  readonly clientId?: string;
  /** `delta`: blocks also come piece by piece while they grow. `block` (default): only whole. */
  readonly stream?: 'delta' | 'block';
  /** Frames `presence` tell who comes and goes; for operators. */
  readonly presence?: boolean;
  /** `automatic` (default): a reply received whole is confirmed. `manual`: only what `delivered()` confirms. */
  readonly delivery?: 'automatic' | 'manual';
  /** The platform's own by default. */
  readonly WebSocket?: SocketConstructor;
  /** The machine's clock and dice by default. */
  readonly timers?: Timers;
}

/** What a client tells those who listen. */
export interface GatewayClientEvents {
  /** Every frame, durable ones in order and once. */
  frame: [frame: OutboundFrame];
  state: [state: ConnectionState];
  /** A refusal that belongs to no reply and no pending call. */
  error: [error: GatewayError];
  /** Something new in a session that this client follows: a reply to a message that somebody else, or this client before its restart, has sent. */
  reply: [reply: Reply];
}

/**
 * A client of the gateway's wire protocol, for Node and browsers.
 *
 * It stays connected: after a lost connection it connects again, goes on in every session where it was, and sends every
 * message that was not acknowledged again under its id. It gives up only when the gateway says that trying again is no
 * use (4001, 4002, 4010 and the client's own faults), and then everything that waits fails with ConnectionEndedError.
 *
 * Messages may be sent at any time; they leave when there is a connection, in order, and wait without limit until then.
 */
export class GatewayClient {
  readonly clientId: string;
  readonly #timers: Timers;
  readonly #listeners = new Listeners<GatewayClientEvents>();
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #requests: Requests;
  readonly #sessions: Sessions;
  readonly #replies = new Replies();
  readonly #deliveries: Deliveries;
  readonly #confirmsDelivery: boolean;
  readonly #recovery: Recovery;
  #connecting: PromiseWithResolvers<ConnectedPayload> | undefined;

  /** @throws TypeError for a malformed url or token */
  constructor(options: GatewayClientOptions) {
    this.clientId = options.clientId ?? newId();
    this.#timers = options.timers ?? systemTimers;
    this.#confirmsDelivery = options.delivery !== 'manual';
    const transmit = (text: string) => this.#connection.send(text);
    this.#outbox = new Outbox(this.#timers, transmit);
    this.#requests = new Requests(this.#timers, transmit);
    this.#deliveries = new Deliveries(this.#timers, transmit);
    this.#sessions = new Sessions(this.#timers, {
      transmit,
      recover: (sessionId) => void this.#recovery.recover(sessionId),
      refused: (sessionId, error) => this.#refuseSession(sessionId, error),
      listAwaited: () => this.#replies.listSessions(),
    });
    this.#recovery = new Recovery(this.#sessions, this.#replies, (sessionId, page) => this.history(sessionId, page));
    const { url, token, stream, presence = false } = options;
    const target = { url, clientId: this.clientId, token, deltas: stream === 'delta', presence };
    this.#connection = new Connection(target, options.WebSocket ?? WebSocket, this.#timers, {
      state: (state) => this.#listeners.emit('state', state),
      connected: () => this.#connected(),
      frame: (frame) => this.#receive(frame),
      lost: () => this.#lost(),
      ended: (error) => this.#ended(error),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /**
   * Connects, and stays connected until `close()`. Resolves once connected, however many attempts that takes (`state`
   * tells of each); called while waiting for the next attempt, makes it at once.
   *
   * Rejects with ConnectionEndedError when trying again is no use, or at `close()`.
   */
  connect(): Promise<ConnectedPayload> {
    if (this.state.name === 'connected') return Promise.resolve(this.state.connected);
    this.#connecting ??= Promise.withResolvers();
    const { promise } = this.#connecting;
    // Who does not wait for it learns of the end by `state`.
    promise.catch(() => {});
    this.#connection.open();
    return promise;
  }

  /** Disconnects. What still waits fails with ConnectionEndedError; the gateway goes on with what it has acknowledged. */
  close(): void {
    this.#deliveries.flush();
    this.#connection.close();
  }

  /** Calls `listener` at each event from now on; the answer ends it. */
  on<K extends keyof GatewayClientEvents>(name: K, listener: (...args: GatewayClientEvents[K]) => void): () => void {
    return this.#listeners.on(name, listener);
  }

  /**
   * Sends a message. `id` names it for ever (made up when missing): a driver that passes its platform's id can send
   * again after a crash and gets the one reply. Aborting `signal` cancels the reply.
   * @throws TypeError when a message of this id is waiting for its acknowledgement
   */
  send(payload: MessageInPayload, options: { id?: string; sessionId?: string; signal?: AbortSignal } = {}): Reply {
    const feed = new ReplyFeed(options.id ?? newId());
    if (this.#outbox.find(feed.id)) throw new TypeError(`A message ${feed.id} is waiting for its acknowledgement`);
    const reply = this.#replyOf(feed);
    if (options.signal?.aborted) {
      feed.fail(new WithdrawnError());
      return reply;
    }
    const stopListening = listenOnce(options.signal, () => reply.cancel());
    void feed.ended.promise.finally(stopListening).catch(() => {});
    const text = encodeFrame('message_in', feed.id, this.#timers.now(), payload, options.sessionId);
    this.#outbox.add(feed.id, text, feed);
    return reply;
  }

  /** Follows sessions from places in their logs: frames after those come in order, then live ones. Rejects with GatewayError. */
  resume(positions: readonly SessionPosition[]): Promise<readonly ResumedPayload[]> {
    return Promise.all(positions.map((position) => this.#sessions.resume(position)));
  }

  /**
   * Follows every session of this client id that has frames after its last confirmed delivery, or an unfinished message:
   * how a program goes on after its own restart. What comes is told by `reply` and `frame`. Call it when connected.
   */
  resumeAll(): void {
    this.#sessions.resumeAll();
  }

  /** Earlier messages of a session, newest last. Rejects with GatewayError. */
  async history(sessionId: string, page: HistoryPayload): Promise<HistoryResultPayload> {
    const frame = await this.#requests.ask('history', page, sessionId);
    return (frame as OutboundFrame<'history'>).payload;
  }

  /** Confirms that a session was delivered up to `seq`; leaves a moment later, with others. */
  delivered(sessionId: string, seq: number): void {
    this.#deliveries.confirm(sessionId, seq);
  }

  /** Tells who is there. Like all news of the moment it is dropped without a connection, as are those that follow. */
  presence(payload: PresencePayload): void {
    this.#tell('presence', payload);
  }

  reaction(payload: ReactionPayload): void {
    this.#tell('reaction', payload);
  }

  channelStatus(payload: ChannelStatusPayload): void {
    this.#tell('channel_status', payload);
  }

  /** Ends a message, whoever sent it and wherever its reply is read: {@link Reply.cancel} for messages that have no Reply here. */
  cancelMessage(messageRef: string): void {
    this.#tell('cancel', { message_ref: messageRef });
  }

  /** Decides on a tool call that waits for a person: `approval` of a `tool` event names it and the hash of its arguments. */
  decide(payload: ApprovalPayload): void {
    this.#tell('approval', payload);
  }

  /** Ends all waiting and running messages of a session. */
  cancelSession(sessionId: string): void {
    this.#tell('cancel', {}, sessionId);
  }

  /**
   * Asks an extension of the gateway, `vendor.name`, and answers the payload of its answer. Asked again after a lost
   * connection, so a question must bear being repeated. Rejects with GatewayError.
   */
  async ask(type: ExtensionType, payload: object): Promise<object> {
    return (await this.#requests.ask(type, payload)).payload;
  }

  /** Resolves when the gateway has answered. */
  async ping(): Promise<void> {
    await this.#requests.ask('ping', {});
  }

  #tell<T extends InboundType>(type: T, payload: PayloadOf<T>, sessionId?: string): void {
    this.#connection.send(encodeFrame(type, newId(), this.#timers.now(), payload, sessionId));
  }

  #replyOf(feed: ReplyFeed): Reply {
    return new Reply(feed, () => this.#cancel(feed));
  }

  /** What the gateway may have is cancelled there, once it is known to have it. */
  #cancel(feed: ReplyFeed): void {
    if (this.#outbox.withdraw(feed.id)) return feed.fail(new WithdrawnError());
    feed.cancelRequested = true;
    this.#sendCancel(feed);
  }

  #sendCancel({ acknowledgement }: ReplyFeed): void {
    if (acknowledgement) this.#tell('cancel', { message_ref: acknowledgement.message_ref });
  }

  #connected(): void {
    if (this.state.name === 'connected') this.#connecting?.resolve(this.state.connected);
    this.#connecting = undefined;
    this.#sessions.connected();
    this.#outbox.connected();
    this.#requests.connected();
    this.#deliveries.flush();
    for (const feed of this.#replies.listCancelled()) this.#sendCancel(feed);
  }

  #lost(): void {
    this.#replies.interruptAll();
    this.#outbox.disconnected();
    this.#sessions.disconnected();
  }

  #ended(error: ConnectionEndedError): void {
    this.#connecting?.reject(error);
    this.#connecting = undefined;
    this.#outbox.failAll(error);
    this.#requests.failAll(error);
    this.#sessions.failAll(error);
    this.#replies.failAll(error);
  }

  #receive(frame: OutboundFrame): void {
    if (isDurable(frame)) {
      if (!this.#sessions.accept(frame)) return;
      this.#listeners.emit('frame', frame);
      this.#takeDurable(frame);
      if (this.#confirmsDelivery) this.#deliveries.note(frame);
      return;
    }
    this.#listeners.emit('frame', frame);
    if (frame.type === 'message_ack') this.#acknowledge(frame);
    else if (frame.type === 'stream_delta')
      for (const feed of this.#replies.find(frame.payload.message_ref)) feed.takeDelta(frame);
    else if (frame.type === 'resumed') this.#sessions.resumed(frame);
    else if (frame.type === 'error') this.#refused(frame);
    else this.#requests.settle(frame);
  }

  #takeDurable(frame: DurableFrame): void {
    const feeds = this.#replies.find(frame.payload.message_ref);
    for (const feed of feeds) feed.take(frame, this.#sessions.isLive(frame));
    if (feeds.length > 0) return;
    const unacknowledged = this.#outbox.find(frame.correlation_id);
    if (unacknowledged) return unacknowledged.feed.park(frame);
    if (this.#listeners.has('reply')) this.#discover(frame);
  }

  /** The first frame of a reply that this client did not ask for. */
  #discover(frame: DurableFrame): void {
    const { payload, session_id } = frame;
    const feed = new ReplyFeed('message_id' in payload ? payload.message_id : payload.id);
    const acknowledgement = { message_ref: payload.message_ref, session_id, status: 'queued', position: 0 } as const;
    this.#replies.acknowledge(feed, acknowledgement, false);
    feed.take(frame, this.#sessions.isLive(frame));
    this.#listeners.emit('reply', this.#replyOf(feed));
  }

  #acknowledge({ correlation_id, session_id, payload }: OutboundFrame<'message_ack'>): void {
    const feed = this.#outbox.find(correlation_id)?.feed;
    if (!feed || session_id === undefined) return;
    this.#outbox.remove(feed.id);
    const { message_ref, status, position } = payload;
    this.#replies.acknowledge(feed, { message_ref, session_id, status, position }, status === 'queued');
    // Of a repeat nobody knows whether its reply is past, begun or to come.
    if (status === 'duplicate') void this.#recovery.recover(session_id);
    else this.#sessions.follow(session_id);
    if (feed.cancelRequested) this.#sendCancel(feed);
  }

  #refused(frame: OutboundFrame<'error'>): void {
    if (this.#requests.settle(frame) || this.#sessions.settle(frame)) return;
    const error = GatewayError.fromPayload(frame.payload);
    const feed = this.#outbox.find(frame.correlation_id)?.feed;
    if (!feed) return this.#listeners.emit('error', error);
    if (error.retryable) return this.#outbox.refuse(feed.id, error.retryAfterMs ?? 0, error.code !== 'QUEUE_FULL');
    this.#outbox.remove(feed.id);
    feed.fail(error);
  }

  #refuseSession(sessionId: string | undefined, error: GatewayError): void {
    if (sessionId !== undefined) this.#replies.fail(sessionId, error);
    this.#listeners.emit('error', error);
  }
}

function listenOnce(signal: AbortSignal | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}
