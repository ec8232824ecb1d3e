import { once } from 'node:events';
import { connect } from 'node:net';

/** Ports below those that operating systems give to listeners on port 0 and to outgoing connections. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * Returns a port of the loopback for a server whose address must be known before it starts, or that starts again at the same
 * address. No listener on port 0 and no connection can take it meanwhile.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
}

/**
 * Resolves when a port on which this process listened can be listened on again. Closing the server is not enough: a child process
 * that another thread starts at that moment holds a copy of the listener from fork to exec.
 */
export async function waitUntilFree(port: number): Promise<void> {
  while (!(await isFree(port)));
}

/** Whether no server listens on a port. Asks by a connection, since a listener of its own could outlive the question. */
async function isFree(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}
