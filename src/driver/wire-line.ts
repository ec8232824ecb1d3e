import type { GatewayLine, KnownMessages, LineClient } from '../core/channels/channel-gateway.js';
import { encodeInbound, isDurable, type DurableFrame as WireFrame } from '../client/frames.js';
import { Link, type Loss, type SocketConstructor } from '../client/link.js';
import { addressOf, type Target } from '../client/reconnecting-link.js';
import type { Timers } from '../client/timers.js';
import type { ChannelStatus } from '../core/connections/channel-status.service.js';
import type { PersonStatus } from '../core/connections/memory-connection.js';
import type { IncomingMessage, Reaction } from '../core/intake/message-intake.service.js';
import type { DurableFrame, ResumePosition } from '../core/store/index.js';
import { GatewayError, type InboundPayload, type InboundType, type OutboundFrame } from '../protocol/index.js';
import type { HttpFiles } from './http-files.js';

/** Number of the newest messages of a session that may have a place. */
const MAX_KNOWN = 50;

/** A request that waits for its response. */
interface Waiting {
  resolve(frame: OutboundFrame): void;
  reject(error: Error): void;
}

/**
 * The connection of a run over a WebSocket, from open to close. It neither reconnects nor repeats: when it is lost the run
 * ends, and the next one reads on from the cursors of its client.
 */
export class WireLine implements GatewayLine {
  readonly connection = this;
  private readonly link: Link;
  private readonly opening = Promise.withResolvers<void>();
  /** By the ID of the frame that is answered. */
  private readonly waiting = new Map<string, Waiting>();
  private isOpen = false;
  private requests = 0;

  constructor(
    target: Target,
    WebSocket: SocketConstructor,
    private readonly timers: Timers,
    readonly files: HttpFiles,
    private readonly client: LineClient,
  ) {
    // A failure is reported only to callers that wait for it.
    this.opening.promise.catch(() => {});
    this.link = new Link(WebSocket, addressOf(target), timers, {
      connected: () => {
        this.isOpen = true;
        this.opening.resolve();
      },
      frame: (frame) => this.receive(frame),
      lost: (loss) => this.lose(loss),
    });
  }

  /** Resolves when the gateway has accepted the connection. @throws LinkError */
  get opened(): Promise<void> {
    return this.opening.promise;
  }

  submit({ id, sessionId, payload }: IncomingMessage): void {
    this.send('message_in', id, payload, sessionId);
  }

  /** The gateway responds to a reaction only if it refuses it, and carries out requests in their order. */
  async react(id: string, { messageId: message_id, channel, sender, emoji, action }: Reaction): Promise<void> {
    const refused = this.expect(id);
    this.send('reaction', id, { channel, sender, message_id, emoji, action });
    const ping = `${id}:ping`;
    const answered = this.expect(ping);
    this.send('ping', ping, {});
    try {
      await Promise.race([refused, answered]);
    } finally {
      this.waiting.delete(id);
      this.waiting.delete(ping);
    }
  }

  updatePresence(id: string, { channel, userId: user_id, status }: PersonStatus): void {
    this.send('presence', id, { channel, user_id, status });
  }

  reportChannel(id: string, status: ChannelStatus): void {
    this.send('channel_status', id, status);
  }

  resume(id: string, positions: readonly ResumePosition[] = []): void {
    const sessions = positions.map(({ sessionId: session_id, seq: after_seq }) => ({ session_id, after_seq }));
    this.send('resume', id, { sessions });
  }

  confirm(id: string, session_id: string, seq: number): void {
    this.send('delivered', id, { session_id, seq });
  }

  end(): void {
    this.link.close();
    this.close(new GatewayError('DRAINING', {}));
  }

  /** Lists the newest messages: this client has submitted some of them, and knows where their replies went. */
  async findTarget(sessionId: string): Promise<KnownMessages | undefined> {
    const id = `line:${++this.requests}`;
    const answered = this.expect(id);
    this.send('history', id, { limit: MAX_KNOWN }, sessionId);
    try {
      const { payload } = (await answered) as OutboundFrame<'history'>;
      return {
        messages: payload.messages.map(({ message_ref, message_id }) => ({
          messageRef: message_ref,
          messageId: message_id,
        })),
      };
    } catch (error) {
      if (GatewayError.from(error).code === 'STORE_UNAVAILABLE') throw error;
      return undefined;
    }
  }

  private send<T extends InboundType>(type: T, id: string, payload: InboundPayload<T>, sessionId?: string): void {
    if (this.isOpen) this.link.send(encodeInbound(type, id, this.timers.now(), payload as never, sessionId));
  }

  private expect(id: string): Promise<OutboundFrame> {
    const { promise, resolve, reject } = Promise.withResolvers<OutboundFrame>();
    this.waiting.set(id, { resolve, reject });
    promise.catch(() => {});
    return promise;
  }

  private receive(frame: OutboundFrame): void {
    if (isDurable(frame)) return this.client.take({ kind: 'frames', frames: [toFrame(frame)] });
    const { correlation_id: requestId, session_id: sessionId } = frame;
    if (requestId !== undefined && this.settle(requestId, frame)) return;
    switch (frame.type) {
      case 'message_ack': {
        const { status, message_ref: messageRef } = frame.payload;
        const message = { messageRef, ...(status !== 'duplicate' && { status }) };
        return this.client.take({ kind: 'accepted', requestId: requestId ?? '', status, message });
      }
      case 'resumed':
        return this.client.take({ kind: 'resumed', requestId: requestId ?? '', sessionId: frame.payload.session_id });
      case 'error':
        return this.client.take({
          kind: 'refused',
          requestId,
          sessionId,
          error: GatewayError.fromPayload(frame.payload),
        });
      case 'stream_delta': {
        const { message_id, message_ref, block_id, block_type: blockType, delta: text } = frame.payload;
        const names = { sessionId: sessionId ?? '', messageId: message_id, messageRef: message_ref };
        return this.client.take({ kind: 'delta', ...names, blockId: block_id, blockType, text });
      }
      default:
    }
  }

  /** Passes a frame to the request that it answers. Returns false if none waits for it. */
  private settle(requestId: string, frame: OutboundFrame): boolean {
    const waiting = this.waiting.get(requestId);
    if (!waiting) return false;
    this.waiting.delete(requestId);
    if (frame.type === 'error') waiting.reject(GatewayError.fromPayload(frame.payload));
    else waiting.resolve(frame);
    return true;
  }

  private lose({ code, reason }: Loss): void {
    const wasOpen = this.isOpen;
    const error = new LinkError(code, reason);
    this.opening.reject(error);
    this.close(error);
    if (wasOpen) this.client.onClose(error.message);
  }

  private close(error: Error): void {
    this.isOpen = false;
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
}

/** The gateway has not accepted a connection, or has ended it. */
export class LinkError extends Error {
  override readonly name = 'LinkError';

  /** @param code a close code; 1006 without a close frame */
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(`${code} ${reason === '' ? 'no response' : reason}`);
  }
}

function toFrame({ session_id, seq, type, payload, timestamp, correlation_id }: WireFrame): DurableFrame {
  return {
    sessionId: session_id,
    seq,
    type,
    messageRef: payload.message_ref,
    messageId: correlation_id ?? '',
    timestamp,
    payload: JSON.stringify(payload),
  };
}
