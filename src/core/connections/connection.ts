import type { CloseName, InboundEnvelope } from '../../protocol/index.js';
import type { Principal } from '../identity/principal.js';
import type { FrameReader } from '../delivery/frame-reader.js';

/**
 * One authenticated connection, whatever its wire: the core sends through it and knows no socket. An edge
 * (`src/websocket`) implements it.
 */
export interface Connection extends FrameReader {
  readonly principal: Principal;
  readonly clientId: string;
  /** From `subscribe=presence` in the query; counts for operators only. */
  readonly wantsPresence: boolean;

  /** Sends one frame, already encoded. What is sent in one turn of the event loop leaves in one write. */
  send(frame: string): void;

  /** Asks the peer for a sign of life, and ends the connection when the last two requests went unanswered. */
  heartbeat(): void;

  /** Ends it with a row of the close table. What was sent before still leaves. Idempotent. */
  close(name: CloseName): void;
}

/** An inbound frame with the connection that it came from. */
export interface InboundFrame {
  readonly connection: Connection;
  readonly envelope: InboundEnvelope;
}
