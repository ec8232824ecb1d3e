import { isListening } from '../http/is-listening.js';

const HOST = '127.0.0.1';

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
    // Not by listening, since the listener could outlive the question: see `waitUntilFree`.
    if (!(await isListening({ host: HOST, port }))) return port;
  }
}

/**
 * Resolves when a port on which this process listened can be listened on again. Closing the server is not enough: a child process
 * that another thread starts at that moment holds a copy of the listener from fork to exec.
 */
export async function waitUntilFree(port: number): Promise<void> {
  while (await isListening({ host: HOST, port }));
}
