import { MAX_STALL_MS } from '../core/delivery/frame-reader.js';
import type { Clock } from '../core/time/clock.js';
import type { GatewayWebSocket } from './gateway-websocket.js';
import type { Outbox } from './outbox.js';

/** Maximum of pings in a row without an answer. */
const MAX_MISSED = 2;

/**
 * Asks a peer whether it is there. Only a pong is a sign of life; but a ping that still stands in our own buffer, or an
 * answer that we do not read because the connection is paused, says nothing: then it counts whether the peer takes
 * what is sent.
 */
export class Heartbeat {
  private ping: 'answered' | 'buffered' | 'sent' = 'answered';
  private missed = 0;
  private takenBytes = 0;
  /** Since when the peer has taken nothing, as far as beats can tell. */
  private stalledSince: number | undefined;

  constructor(
    private readonly socket: GatewayWebSocket,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** A pong came. */
  noteAnswer(): void {
    this.ping = 'answered';
  }

  /** Checks the outcome of the last ping and sends the next one. Returns the reason to close, if there is one. */
  beat(): 'heartbeatLost' | 'slowReader' | undefined {
    if (this.ping === 'answered') this.missed = 0;
    else if (this.ping === 'sent' && !this.socket.isPaused) this.missed++;
    if (this.missed >= MAX_MISSED) return 'heartbeatLost';
    if (this.hasStalled()) return 'slowReader';
    if (this.ping !== 'buffered') this.sendPing();
    return undefined;
  }

  private hasStalled(): boolean {
    const { takenBytes } = this.outbox;
    const takesNothing = this.outbox.bufferedBytes > 0 && takenBytes <= this.takenBytes;
    this.takenBytes = takenBytes;
    if (!takesNothing) this.stalledSince = undefined;
    else this.stalledSince ??= this.clock.now();
    return this.stalledSince !== undefined && this.clock.now() - this.stalledSince >= MAX_STALL_MS;
  }

  private sendPing(): void {
    this.ping = 'buffered';
    this.socket.ping(undefined, undefined, () => {
      if (this.ping === 'buffered') this.ping = 'sent';
    });
  }
}
