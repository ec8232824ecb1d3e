import { Injectable } from '@nestjs/common';
import { GatewayError, type MessageInPayload, type PresenceStatus } from '../../protocol/domain.js';
import { CanvasService } from '../canvas/canvas.service.js';
import { clientKey, type Principal } from '../identity/principal.js';
import { RateLimitsService } from '../limits/rate-limits.service.js';
import { MediaService } from '../media/media.service.js';
import { PhaseService } from '../phase/phase.service.js';
import { PresenceTrackerService } from '../presence/presence-tracker.service.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { checkVoice } from '../sessions/access.js';
import { SessionRouterService, type Route } from '../sessions/session-router.service.js';
import {
  SessionStore,
  type AcceptedMessage,
  type CancelSelector,
  type Done,
  type StoredMessage,
  type StoredReaction,
} from '../store/index.js';
import { Tracing } from '../telemetry/tracing.js';
import { Clock } from '../time/clock.js';
import { isEmoji } from './emoji.js';
import { traceAccept } from './intake-traces.js';

/** The client on whose behalf a request is made, for example a connection. Message ids are unique within an origin. */
export interface Origin {
  readonly principal: Principal;
  readonly clientId: string;
}

/** A message to be accepted. */
export interface IncomingMessage {
  /** Chosen by the origin. Submitting it again with the same content is a safe retry. */
  readonly id: string;
  /** The session that it is for. Without it the payload determines the session. */
  readonly sessionId?: string | undefined;
  readonly payload: MessageInPayload;
}

/** A message whose place in the queue is certain and whose commit is under way. */
export interface QueuedMessage {
  /** Resolves when the message is durable. Rejects with QUEUE_FULL, IDEMPOTENCY_CONFLICT or STORE_UNAVAILABLE. */
  readonly accepted: Promise<AcceptedMessage>;
}

/** The messages to cancel: one, by the origin's id or by its ref, or all of a session. */
export type CancelTarget =
  | { readonly by: 'id'; readonly messageId: string }
  | { readonly by: 'ref'; readonly messageRef: string }
  | { readonly by: 'session'; readonly sessionId: string };

/**
 * A reaction to a message. `messageId` is the origin's id of the message, or its ref. Without an `emoji`, `removed` applies
 * to all reactions of the sender.
 */
export interface Reaction extends StoredReaction {
  readonly channel: string;
  readonly messageId: string;
  readonly action: 'added' | 'removed';
}

/**
 * The way into the gateway for all entrances: sockets, drivers in this process, timers, the admin API. Each method checks
 * the origin's rights; the entrance checks the scope of the credential.
 */
@Injectable()
export class MessageIntakeService {
  // oxlint-disable-next-line max-params -- the sequence of all checks that a message passes, each by its own service
  constructor(
    private readonly phase: PhaseService,
    private readonly limits: RateLimitsService,
    private readonly router: SessionRouterService,
    private readonly media: MediaService,
    private readonly presence: PresenceTrackerService,
    private readonly queue: MessageQueueService,
    private readonly sessions: SessionStore,
    private readonly canvas: CanvasService,
    private readonly clock: Clock,
    private readonly tracing: Tracing,
  ) {}

  /**
   * Submits a message. Returns as soon as its place in the queue is certain, before it is durable. Messages of one origin
   * keep their order if each is submitted after the previous call has returned (or its promise has resolved).
   * @throws GatewayError DRAINING, RATE_LIMITED, FORBIDDEN, NOT_FOUND, INVALID_PAYLOAD; nothing is stored then. When the
   *   queue refuses the message, `accepted` rejects instead.
   */
  submit(origin: Origin, message: IncomingMessage): QueuedMessage | Promise<QueuedMessage> {
    const { promise: accepted, resolve, reject } = Promise.withResolvers<AcceptedMessage>();
    const pending = this.submitThen(origin, message, (outcome) =>
      outcome instanceof Error ? reject(outcome) : resolve(outcome),
    );
    return pending ? pending.then(() => ({ accepted })) : { accepted };
  }

  /**
   * Like {@link submit}, with a callback for the message that is durable or refused by the queue.
   *
   * This is the hottest path of the gateway. It is synchronous up to the enqueue, and returns a promise only for a message
   * that needs a read of the store first (a session named by id, a user outside its main session, a message that
   * supersedes another, uploaded media).
   * @throws GatewayError as {@link submit} does; `done` is not called then
   */
  submitThen(origin: Origin, message: IncomingMessage, done: Done<AcceptedMessage>): void | Promise<void> {
    if (this.phase.isDraining) throw new GatewayError('DRAINING', {});
    const { payload } = message;
    this.limits.takeMessage(origin.principal, payload.sender);
    const route =
      payload.supersedes === undefined || message.sessionId !== undefined
        ? this.router.route(origin.principal, payload, message.sessionId)
        : this.routeToSuperseded(origin, payload, payload.supersedes);
    const hasMedia = payload.attachments?.some((attachment) => attachment.media_id !== undefined);
    const isAction = payload.metadata?.['canvas'] !== undefined;
    if (hasMedia || isAction || route instanceof Promise) return this.enqueueLater(origin, message, route, done);
    this.enqueue(origin, message.id, route, done);
  }

  /**
   * Cancels messages. Those that run end soon after.
   * @throws GatewayError NOT_FOUND
   */
  async cancel(origin: Origin, target: CancelTarget): Promise<void> {
    const outcome = await this.queue.cancel(await this.select(origin, target));
    if (!outcome) throw new GatewayError('NOT_FOUND', { what: 'message' });
  }

  /**
   * Stores a reaction with its message, as part of the context that the agent reads.
   * @throws GatewayError FORBIDDEN, NOT_FOUND, RATE_LIMITED; INVALID_PAYLOAD for what is not an emoji, or one too many
   */
  async react(origin: Origin, { channel, sender, messageId, emoji, action }: Reaction): Promise<void> {
    const { principal } = origin;
    checkVoice(principal, channel, sender);
    const isAll = emoji === '' && action === 'removed';
    if (!isAll && !isEmoji(emoji))
      throw invalidEmoji('must be one emoji or its :name:; empty only with action removed');
    this.limits.takeReaction(principal, sender);
    this.presence.noteActivity(principal.tenant, channel, sender);
    const message = (await this.findOwn(origin, messageId)) ?? (await this.findByRef(principal, messageId));
    if (!message) throw new GatewayError('NOT_FOUND', { what: `message ${messageId}` });
    await this.router.getReadable(principal, message.sessionId);
    const hasRoom = await this.sessions.changeReaction(message.messageRef, { sender, emoji }, action);
    if (!hasRoom) throw invalidEmoji('is one reaction too many for this message');
  }

  /**
   * Updates the presence of a person.
   * @throws GatewayError FORBIDDEN
   */
  notePresence({ principal }: Origin, channel: string, userId: string, status: PresenceStatus): void {
    checkVoice(principal, channel, userId);
    this.presence.update(principal.tenant, channel, userId, status);
  }

  /**
   * Routes a message to the session of the one that it supersedes. The queue refuses it when that one is unknown or may
   * not be seen.
   */
  private async routeToSuperseded(
    { principal }: Origin,
    payload: MessageInPayload,
    supersedes: string,
  ): Promise<Route> {
    const earlier = await this.findByRef(principal, supersedes);
    const isVisible = earlier !== undefined && (await this.router.isReadable(principal, earlier.sessionId));
    return this.router.route(principal, payload, isVisible ? earlier.sessionId : undefined);
  }

  private async enqueueLater(
    origin: Origin,
    message: IncomingMessage,
    pending: Route | Promise<Route>,
    done: Done<AcceptedMessage>,
  ): Promise<void> {
    const route = await this.settleRoute(origin, message, pending);
    await this.checkAction(origin, message.id, route);
    await this.media.assign(origin.principal, route.payload.attachments ?? [], route.session.id);
    this.enqueue(origin, message.id, route, done);
  }

  /**
   * Refuses what a person did on a surface that has changed since. A repeat of an accepted message passes: the queue
   * recognises it.
   */
  private async checkAction(origin: Origin, messageId: string, { payload, session }: Route): Promise<void> {
    const action = payload.metadata?.['canvas'];
    const fault = action === undefined ? undefined : await this.canvas.findFault(session.id, action);
    if (fault && !(await this.findOwn(origin, messageId)))
      throw new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
  }

  /**
   * Waits for the route of a message. One whose key leads where the sender takes no part may be the repeat of a message
   * that its key led elsewhere.
   */
  private async settleRoute(origin: Origin, message: IncomingMessage, pending: Route | Promise<Route>): Promise<Route> {
    try {
      return await pending;
    } catch (error) {
      const mayBeRepeat = message.sessionId === undefined && GatewayError.from(error).code === 'NOT_FOUND';
      const earlier = mayBeRepeat ? await this.findOwn(origin, message.id) : undefined;
      if (!earlier) throw error;
      return this.router.route(origin.principal, message.payload, earlier.sessionId);
    }
  }

  private enqueue({ principal, clientId }: Origin, messageId: string, route: Route, done: Done<AcceptedMessage>): void {
    this.presence.noteActivity(principal.tenant, route.payload.channel, route.payload.sender);
    const client = clientKey(principal, clientId);
    const receivedAt = this.clock.now();
    const { session, namesSession, payload, isAddressed, priority, ruling } = route;
    const message = { client, messageId, session, namesSession, payload, isAddressed, priority, receivedAt, ruling };
    if (!this.tracing.isOn) return this.queue.enqueueThen(message, done);
    const traced = traceAccept(this.tracing, principal, payload, done);
    this.queue.enqueueThen({ ...message, trace: traced.trace }, traced.done);
  }

  private async select(origin: Origin, target: CancelTarget): Promise<CancelSelector> {
    const { principal, clientId } = origin;
    const { tenant } = principal;
    switch (target.by) {
      case 'id': {
        // The identity of a client is not enough: its credential may be bound to other channels by now.
        const own = await this.findOwn(origin, target.messageId);
        if (own) await this.router.getReadable(principal, own.sessionId);
        return { by: 'id', client: clientKey(principal, clientId), messageId: target.messageId };
      }
      case 'ref': {
        const message = await this.findByRef(principal, target.messageRef);
        if (!message) throw new GatewayError('NOT_FOUND', { what: 'message' });
        await this.router.getReadable(principal, message.sessionId);
        return { by: 'ref', tenant, messageRef: target.messageRef };
      }
      case 'session':
        await this.router.getReadable(principal, target.sessionId);
        return { by: 'session', tenant, sessionId: target.sessionId };
    }
  }

  private findOwn({ principal, clientId }: Origin, messageId: string): Promise<StoredMessage | undefined> {
    return this.queue.findMessage({ by: 'id', client: clientKey(principal, clientId), messageId });
  }

  private findByRef({ tenant }: Principal, messageRef: string): Promise<StoredMessage | undefined> {
    return this.queue.findMessage({ by: 'ref', tenant, messageRef });
  }
}

function invalidEmoji(message: string): GatewayError {
  return new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/emoji', message }] });
}
