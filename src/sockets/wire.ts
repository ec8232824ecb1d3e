import type { IncomingMessage } from 'node:http';
import type { CloseTable } from './close-table.js';
import type { SocketConnection, SocketLine } from './socket-connection.js';
import type { ConnectParameters, UpgradeRefusal } from './upgrade-request.js';

/**
 * A protocol on WebSockets. Its subclass of {@link SocketConnection} reads and writes its frames. Upgrade, order,
 * back-pressure, heartbeat and closing are the same for all wires.
 */
export interface Wire {
  /** The path of its upgrades, different for each wire. */
  readonly path: string;
  /** The subprotocol to select if the client offers it; undefined selects none. */
  readonly subprotocol: string | undefined;
  /** Maximum size of a message of a client, in bytes. Read at each upgrade. */
  readonly maxFrameBytes: number;
  readonly closes: CloseTable;

  /** Reads the parameters of a client from the URL of its upgrade. */
  readParameters(url: string): ConnectParameters | UpgradeRefusal;

  /**
   * Creates the connection of an authenticated client and sends its first frame. Frames of the client wait until `ready`
   * resolves. It must not reject.
   */
  connect(
    line: SocketLine,
    request: IncomingMessage,
  ): { readonly connection: SocketConnection; readonly ready?: Promise<unknown> };
}
