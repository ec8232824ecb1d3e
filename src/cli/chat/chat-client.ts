import { ConnectionEndedError, GatewayClient } from '../../client/index.js';
import { closeTable } from '../../protocol/closes.js';
import { UsageError, type UnreachableError } from '../faults.js';
import { request } from '../http.js';
import type { GatewayTarget } from '../options.js';
import type { Terminal } from '../terminal.js';

/** The sender and the channel of a conversation. */
export interface Speaker {
  readonly channel: string;
  readonly sender: string;
}

/** The close codes that the command explains. */
const { unauthorized: UNAUTHORIZED, replaced: REPLACED } = closeTable;
const LEAVING: ReadonlySet<number> = new Set([closeTable.goingAway.code, closeTable.restarting.code]);

/**
 * Returns a connected client, which reconnects by itself from then on. The first attempt is not repeated, because the
 * user is waiting for it.
 * @throws UnreachableError when the gateway does not respond, Error when it refuses, UsageError for a malformed token
 */
export async function openClient(terminal: Terminal, target: GatewayTarget, clientId: string | undefined) {
  const { url, token } = target;
  const client = makeClient();
  const stopListening = client.on('state', ({ name }) => {
    if (name === 'waiting') client.close();
  });
  try {
    return { client, connected: await client.connect() };
  } catch (error) {
    throw await explain(error as ConnectionEndedError);
  } finally {
    stopListening();
  }

  function makeClient(): GatewayClient {
    try {
      return new GatewayClient({
        url,
        stream: 'delta',
        ...(token === undefined ? {} : { token }),
        ...(clientId === undefined ? {} : { clientId }),
        ...(terminal.WebSocket && { WebSocket: terminal.WebSocket }),
        ...(terminal.timers && { timers: terminal.timers }),
      });
    } catch (error) {
      throw new UsageError(`The token in ${target.source} cannot be used: ${(error as Error).message}`, 'chat');
    }
  }

  async function explain(error: ConnectionEndedError): Promise<Error> {
    if (error.code === UNAUTHORIZED.code) return new Error(describeUnauthorized(target));
    // A WebSocket does not report why it was refused; HTTP shows whether the gateway is reachable.
    try {
      await request(terminal, { ...target, token: undefined }, '/health/live');
    } catch (cause) {
      return cause as UnreachableError;
    }
    return new Error(`The gateway at ${url} refused the connection; its log (subsystem GATEWAY) has the reason`);
  }
}

function describeUnauthorized({ token, source }: GatewayTarget): string {
  if (token === undefined) return 'The gateway requires a credential: set OPENCLAW_TOKEN';
  return `The gateway does not accept the token in ${source}`;
}

/** Prints notes about lost and restored connections. */
export function watchConnection(client: GatewayClient, note: (text: string) => void): void {
  let isLost = false;
  client.on('state', (state) => {
    if (state.name === 'waiting' && !isLost) {
      isLost = true;
      note(LEAVING.has(state.loss.code) ? 'the gateway is restarting, waiting…' : 'connection lost, waiting…');
    } else if (state.name === 'connected' && isLost) {
      isLost = false;
      note('connected again');
    }
  });
}

/** Describes why a connection ended, for display. */
export function describeEnd({ code, message }: ConnectionEndedError): string {
  if (code === REPLACED.code)
    return 'This conversation continues in another `openclaw chat`; to run two at the same time, give one a --client-id';
  if (code === UNAUTHORIZED.code) return 'The gateway no longer accepts the credential';
  return message;
}
