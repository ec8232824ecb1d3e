import { MAX_STALL_MS } from '../core/delivery/slow-readers.service.js';
import type { Clock } from '../core/time/clock.js';
import type { GatewayWebSocket } from './gateway-websocket.js';
import type { Outbox } from './outbox.js';

/** Maximum number of pings in a row without a pong. */
const MAX_MISSED = 2;

/**
 * Checks whether a peer is alive. A missing pong counts only if the ping has left our buffer and the connection is not
 * paused, so that the pong would have been read. Otherwise the peer is judged by whether it takes what is sent.
 */
export class Heartbeat {
  private ping: 'answered' | 'buffered' | 'sent' = 'answered';
  private missed = 0;
  private takenBytes = 0;
  /** When a beat first found that the peer takes nothing; undefined while it does. */
  private stalledSince: number | undefined;

  constructor(
    private readonly socket: GatewayWebSocket,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  notePong(): void {
    this.ping = 'answered';
  }

  /** Evaluates the last ping and sends the next one. Returns the reason to close the connection, if there is one. */
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
    else this.stalledSince ??= this.clock.elapsed();
    return this.stalledSince !== undefined && this.clock.elapsed() - this.stalledSince >= MAX_STALL_MS;
  }

  private sendPing(): void {
    this.ping = 'buffered';
    this.socket.ping(undefined, undefined, () => {
      if (this.ping === 'buffered') this.ping = 'sent';
    });
  }
}
