import type { IncomingMessage } from 'node:http';
import type { CloseTable } from './close-table.js';
import type { SocketConnection, SocketLine } from './socket-connection.js';
import type { ConnectParameters, UpgradeRefusal } from './upgrade-request.js';

/**
 * A protocol on WebSockets, as its edge folder brings it. Its frames are read and written by its subclass of
 * {@link SocketConnection}; upgrade, order, back-pressure, heartbeat and closing are the same for all.
 */
export interface Wire {
  /** Where it is served. Each wire has a path of its own. */
  readonly path: string;
  /** The subprotocol that is selected when the client offers it; undefined selects none. */
  readonly subprotocol: string | undefined;
  /** The largest message of a client, in bytes. */
  readonly maxFrameBytes: number;
  readonly closes: CloseTable;

  /** Reads what a client says about itself in the URL of its upgrade. */
  readParameters(url: string): ConnectParameters | UpgradeRefusal;

  /**
   * Makes the connection of an authenticated client, and greets it. Its frames wait until the promise resolves, which
   * must not reject.
   */
  connect(
    line: SocketLine,
    request: IncomingMessage,
  ): { readonly connection: SocketConnection; readonly ready?: Promise<unknown> };
}
