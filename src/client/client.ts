import { GatewayError } from '../protocol/errors.js';
import type {
  ApprovalPayload,
  CanvasAddressPayload,
  CanvasProblemPayload,
  CanvasStatePayload,
  ChannelStatusPayload,
  ConnectedPayload,
  HistoryPayload,
  HistoryResultPayload,
  MessageInPayload,
  OutboundFrame,
  PresencePayload,
  ReactionPayload,
  ResumedPayload,
} from '../protocol/index.js';
import { ReconnectingLink, type ConnectionState } from './reconnecting-link.js';
import { Deliveries } from './deliveries.js';
import { defer, type Deferred } from './deferred.js';
import type { ConnectionEndedError } from './errors.js';
import { isDurable, newId, type DurableFrame, type ExtensionType } from './frames.js';
import { Listeners } from './listeners.js';
import { Messages, type SendOptions } from './messages.js';
import type { GatewayClientEvents, GatewayClientOptions } from './options.js';
import { Replies } from './replies.js';
import type { Reply } from './reply.js';
import { Requests } from './requests.js';
import { Sessions, type SessionPosition } from './sessions.js';
import { systemTimers } from './timers.js';

/**
 * A client of the gateway's wire protocol, for Node and browsers.
 *
 * It stays connected: after a lost connection it reconnects, resumes every session at its position, and resends every
 * unacknowledged message under the same id. It gives up only when the gateway says that another attempt is useless
 * (4001, 4002, 4010 and protocol errors of the client); everything pending then fails with ConnectionEndedError.
 *
 * Messages may be sent at any time. They are sent in order; without a connection they wait, with no time limit. After
 * the end, and until `connect()` is called again, they fail at once.
 */
export class GatewayClient {
  readonly clientId: string;
  readonly #listeners = new Listeners<GatewayClientEvents>();
  readonly #connection: ReconnectingLink;
  readonly #requests: Requests;
  readonly #sessions: Sessions;
  readonly #messages: Messages;
  readonly #deliveries: Deliveries;
  readonly #confirmsDelivery: boolean;
  #connecting: Deferred<ConnectedPayload> | undefined;

  /** @throws TypeError for a malformed url or token */
  constructor(options: GatewayClientOptions) {
    const { url, token, stream, presence = false, timers = systemTimers, delivery = 'automatic' } = options;
    this.clientId = options.clientId ?? newId();
    this.#confirmsDelivery = delivery === 'automatic';
    const replies = new Replies();
    const target = { url, clientId: this.clientId, token, deltas: stream === 'delta', presence };
    this.#connection = new ReconnectingLink(target, options.WebSocket ?? WebSocket, timers);
    this.#requests = new Requests(timers, this.#connection);
    this.#deliveries = new Deliveries(timers, this.#connection);
    this.#sessions = new Sessions(timers, this.#connection, replies, this.#requests, (error) =>
      this.#listeners.emit('error', error),
    );
    this.#messages = new Messages(timers, this.#connection, this.#sessions, replies, this.#listeners);
    this.#connection.listen({
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
   * Connects, and stays connected until `close()`. Resolves once connected, however many attempts that takes (each
   * emits `state`). When called while the client waits for the next attempt, it makes that attempt at once; while it is
   * connected, it checks that the gateway responds, and reconnects within seconds if not. Call it when the network or the
   * user has come back.
   *
   * Rejects with ConnectionEndedError when another attempt would be useless, or at `close()`.
   */
  connect(): Promise<ConnectedPayload> {
    if (this.state.name === 'connected') {
      this.#connection.probe();
      return Promise.resolve(this.state.connected);
    }
    this.#connecting ??= defer();
    const { promise } = this.#connecting;
    // A caller that does not await the promise gets the end from the `state` event.
    promise.catch(() => {});
    this.#connection.open();
    return promise;
  }

  /**
   * Disconnects. Everything pending fails with ConnectionEndedError; the gateway still processes what it has
   * acknowledged.
   */
  close(): void {
    this.#deliveries.flush();
    this.#connection.close();
  }

  /** Calls `listener` on each event. Returns a function that unsubscribes it. */
  on<K extends keyof GatewayClientEvents>(name: K, listener: (...args: GatewayClientEvents[K]) => void): () => void {
    return this.#listeners.on(name, listener);
  }

  /**
   * Sends a message. A driver that passes its platform's message id as `id` can resend after a crash and still gets a
   * single reply.
   * @throws TypeError when a message of this id is waiting for its acknowledgement
   */
  send(payload: MessageInPayload, options: SendOptions = {}): Reply {
    return this.#messages.send(payload, options);
  }

  /** Follows sessions from positions in their logs: first the frames after each position in order, then live ones. Rejects with GatewayError. */
  resume(positions: readonly SessionPosition[]): Promise<readonly ResumedPayload[]> {
    return Promise.all(positions.map((position) => this.#sessions.resume(position)));
  }

  /**
   * Follows every session of this client id that has frames after its last confirmed delivery, or an unfinished
   * message. Call it once connected, to continue after a restart of the program; `reply` and `frame` are emitted for
   * what arrives.
   */
  resumeAll(): void {
    this.#sessions.resumeAll();
  }

  /** Reads earlier messages of a session, newest last. Rejects with GatewayError. */
  history(sessionId: string, page: HistoryPayload): Promise<HistoryResultPayload> {
    return this.#requests.history(sessionId, page);
  }

  /** Reads like {@link history}, but no `frame` is emitted for the page: no transcript takes it in. */
  peekHistory(sessionId: string, page: HistoryPayload): Promise<HistoryResultPayload> {
    return this.#requests.history(sessionId, page, true);
  }

  /**
   * Confirms that a session was delivered up to `seq`. Confirmations are collected for a short time and sent together.
   */
  delivered(sessionId: string, seq: number): void {
    this.#deliveries.confirm(sessionId, seq);
  }

  /** Reports a user's presence. Like the reports and commands below, it is dropped when there is no connection. */
  presence(payload: PresencePayload): void {
    this.#connection.notify('presence', payload);
  }

  reaction(payload: ReactionPayload): void {
    this.#connection.notify('reaction', payload);
  }

  channelStatus(payload: ChannelStatusPayload): void {
    this.#connection.notify('channel_status', payload);
  }

  /** Cancels a message of any client; use {@link Reply.cancel} for messages that have a Reply here. */
  cancelMessage(messageRef: string): void {
    this.#connection.notify('cancel', { message_ref: messageRef });
  }

  /**
   * Decides on a tool call that waits for approval. `approval` of a `tool` event holds the call's approval id and the
   * hash of its arguments.
   */
  decide(payload: ApprovalPayload): void {
    this.#connection.notify('approval', payload);
  }

  /**
   * Reports what a person has entered on a surface that an agent drew. At most one report in 500 ms is accepted for a
   * surface.
   */
  canvasState(sessionId: string, payload: CanvasStatePayload): void {
    this.#connection.notify('canvas_state', payload, sessionId);
  }

  /** Reports to its agent that a surface cannot be drawn as specified. */
  canvasProblem(sessionId: string, payload: CanvasProblemPayload): void {
    this.#connection.notify('canvas_problem', payload, sessionId);
  }

  /** Returns the address of a page that an agent drew. Rejects with GatewayError. */
  async openCanvas(sessionId: string, surfaceId: string): Promise<CanvasAddressPayload> {
    const frame = await this.#requests.ask('canvas_open', { surface_id: surfaceId }, sessionId, true);
    return (frame as OutboundFrame<'canvas_address'>).payload;
  }

  /** Cancels all waiting and running messages of a session. */
  cancelSession(sessionId: string): void {
    this.#connection.notify('cancel', {}, sessionId);
  }

  /**
   * Sends a request to an extension of the gateway, `vendor.name`, and returns the payload of the response. The request
   * is repeated after a lost connection, so it must be idempotent. Rejects with GatewayError.
   */
  async ask(type: ExtensionType, payload: object): Promise<object> {
    return (await this.#requests.ask(type, payload)).payload;
  }

  /** Resolves when the gateway has responded. */
  async ping(): Promise<void> {
    await this.#requests.ask('ping', {});
  }

  #connected(): void {
    const connected = this.state.name === 'connected' ? this.state.connected : undefined;
    if (connected) this.#connecting?.resolve(connected);
    this.#connecting = undefined;
    this.#sessions.connected(connected?.server.epoch);
    this.#messages.connected();
    this.#requests.connected();
    this.#deliveries.flush();
  }

  #lost(): void {
    this.#messages.disconnected();
    this.#sessions.disconnected();
  }

  #ended(error: ConnectionEndedError): void {
    this.#connecting?.reject(error);
    this.#connecting = undefined;
    this.#requests.failAll(error);
    this.#sessions.failAll(error);
    this.#messages.failAll(error);
  }

  #receive(frame: OutboundFrame): void {
    if (isDurable(frame)) return this.#receiveDurable(frame);
    if (!this.#requests.isQuiet(frame)) this.#listeners.emit('frame', frame, true);
    switch (frame.type) {
      case 'message_ack':
        return this.#messages.acknowledge(frame);
      case 'stream_delta':
        return this.#messages.takeDelta(frame);
      case 'resumed':
        return this.#sessions.resumed(frame);
      case 'error':
        return this.#refused(frame);
      default:
        this.#requests.settle(frame);
    }
  }

  #receiveDurable(frame: DurableFrame): void {
    if (!this.#sessions.accept(frame)) return;
    const isLive = this.#sessions.isLive(frame);
    this.#listeners.emit('frame', frame, isLive);
    this.#messages.take(frame, isLive);
    if (this.#confirmsDelivery) this.#deliveries.note(frame);
  }

  #refused(frame: OutboundFrame<'error'>): void {
    if (this.#requests.settle(frame) || this.#sessions.settle(frame) || this.#messages.refuse(frame)) return;
    this.#listeners.emit('error', GatewayError.fromPayload(frame.payload));
  }
}
