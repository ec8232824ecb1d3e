import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Checks that this process can listen on an address, by doing so for a moment.
 * @param port 0 stands for any
 * @throws Error with advice for the operator
 */
export async function checkAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch (error) {
    throw explainListening(error, host, port);
  }
  await new Promise((resolve) => server.close(resolve));
}

/** Turns an error that prevents listening into one with advice for the operator. */
export function explainListening(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const message = describe(code, host, port);
  return message === undefined ? error : new Error(message, { cause: error });
}

/** Puts advice into an error of a server, which has its address. For applications that listen themselves. */
export function adviseListening(error: NodeJS.ErrnoException & { address?: string; port?: number }): void {
  error.message = describe(error.code, error.address ?? '', error.port ?? 0) ?? error.message;
}

function describe(code: string | undefined, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `The port ${port} of ${host} is in use. Stop the program that uses it, or set gateway.port (0 picks a free one).`;
    case 'EACCES':
    case 'EADDRNOTAVAIL':
      return `The gateway cannot listen on ${host}:${port} (${code}). Set gateway.host and gateway.port.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name ${host} has no address (${code}). Set gateway.host to an address of this machine.`;
    default:
      return undefined;
  }
}
