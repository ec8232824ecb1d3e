import { once } from 'node:events';
import { createServer } from 'node:net';

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
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      // Taken: another one.
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
