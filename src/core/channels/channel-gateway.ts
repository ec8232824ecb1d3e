/** The port of the gateway as the accounts of channels use it: in the same process, or at the other end of a wire. */
import type { AcceptedEvent, RefusedEvent } from '../connections/connection.js';
import type { MemoryConnection } from '../connections/memory-connection.js';
import type { DeltaEvent, FramesEvent, ResumedEvent } from '../delivery/frame-reader.js';
import type { AcceptedMessage } from '../store/index.js';
import type { KeptFile, OpenFile, Target } from './driver.js';

/** A message is stored, now or before. A `duplicate` says nothing about where the message is now. */
export interface StoredEvent extends Pick<AcceptedEvent, 'kind' | 'requestId' | 'status'> {
  readonly message: Pick<AcceptedMessage, 'messageRef'> & { readonly status?: AcceptedMessage['status'] };
}

/** An event that a {@link GatewayLine} sends to its account. Other events are ignored. */
export type LineEvent =
  | StoredEvent
  | RefusedEvent
  | FramesEvent
  | DeltaEvent
  | Pick<ResumedEvent, 'kind' | 'requestId' | 'sessionId'>;

/** An account that connects. */
export interface LineClient {
  /** The channel as declared, without the account. */
  readonly name: string;
  readonly account: string;
  /** The account by its name in messages. */
  readonly channel: string;
  /** Aborts when the account does not want the connection any more. */
  readonly signal: AbortSignal;
  /** Called with each event, in order, never from within a request. */
  take(event: LineEvent | { readonly kind: string }): void;
  /** Called when the gateway has ended the connection. */
  onClose(reason: string): void;
}

/** The messages of a session that are known of it: one of them may have a place. */
export interface KnownMessages {
  readonly messages: readonly { readonly messageRef: string; readonly messageId: string }[];
}

/** The connection of one run of an account. Its client is the account: it keeps the cursors over all runs. */
export interface GatewayLine {
  /** The requests. They return as soon as they are queued, and are carried out in their order; see the class. */
  readonly connection: Pick<
    MemoryConnection,
    'submit' | 'react' | 'updatePresence' | 'reportChannel' | 'resume' | 'confirm' | 'end'
  >;
  readonly files: {
    /** See `ChannelLink.keepFile`. */
    keep(body: AsyncIterable<Uint8Array>): Promise<KeptFile>;
    /** See `ChannelLink.openFile`. */
    open(source: string): Promise<OpenFile>;
  };

  /**
   * Finds whom a session is for, or else what is known of it; undefined if there is nothing.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  findTarget(sessionId: string): Promise<Target | KnownMessages | undefined>;
}

/** Connects the accounts of channels to the gateway. */
export abstract class ChannelGateway {
  /**
   * Resolves when the gateway takes requests. An older connection of the same account is closed.
   * @throws Error when that cannot be; the abort's reason
   */
  abstract connect(client: LineClient): Promise<GatewayLine>;
}
