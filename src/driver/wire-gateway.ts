import { Backoff, isFinal } from '../client/reconnect.js';
import type { SocketConstructor } from '../client/link.js';
import { systemTimers } from '../client/timers.js';
import { ChannelGateway, type GatewayLine, type LineClient } from '../core/channels/channel-gateway.js';
import { DriverError } from '../core/channels/driver.js';
import type { Log } from '../core/telemetry/logs.js';
import type { Clock } from '../core/time/clock.js';
import { hash } from 'node:crypto';
import { HttpFiles } from './http-files.js';
import { LinkError, WireLine } from './wire-line.js';

/** Maximum length of the name of a client (protocol.md section 1). */
const MAX_CLIENT_ID = 64;

/** Where the gateway is, and the credential for it: of role `channel`, for the channels that run here. */
export interface GatewayAddress {
  /** `ws://` or `wss://`, host and port. */
  readonly url: string;
  readonly token: string | undefined;
}

/** A gateway in another process. */
export class WireGateway extends ChannelGateway {
  constructor(
    private readonly address: GatewayAddress,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly WebSocket: SocketConstructor = globalThis.WebSocket,
  ) {
    super();
  }

  /** Tries until the gateway accepts the connection. @throws DriverError when it never will; the abort's reason */
  override async connect(client: LineClient): Promise<GatewayLine> {
    const { channel, signal } = client;
    const { url, token } = this.address;
    const clientId = channel.length <= MAX_CLIENT_ID ? channel : hash('sha256', channel, 'hex');
    const target = { url, token, clientId, deltas: true, presence: false };
    const backoff = new Backoff(systemTimers);
    for (;;) {
      signal.throwIfAborted();
      const line = new WireLine(target, this.WebSocket, systemTimers, new HttpFiles(url, token), client);
      try {
        await line.opened;
        return line;
      } catch (error) {
        const code = error instanceof LinkError ? error.code : 0;
        if (isFinal(code))
          throw new DriverError('misconfigured', `the gateway refuses this driver: ${messageOf(error)}`);
        this.log.warn({ channel, error }, 'the gateway cannot be reached; trying again');
        await this.clock.sleep(backoff.next(code), signal);
      }
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
