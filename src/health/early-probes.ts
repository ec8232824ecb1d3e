import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

/** Seconds after which a client may come again. */
const RETRY_AFTER_SECONDS = '5';

/**
 * Serves the probes before the gateway itself listens: while the store is opened, which may migrate it for minutes, and while the
 * parts start. Without them an orchestrator would end the process in the middle, again and again. All other requests are 503.
 */
export class EarlyProbes {
  private constructor(
    private readonly server: Server,
    private readonly describe: () => Promise<string>,
  ) {}

  /**
   * Listens on the address of the gateway. Resolves with undefined if that is not possible: the start itself says why, if it has
   * not changed by then.
   * @param describe says what the start is doing, in words for operators; asked by the first request
   */
  static async open(host: string, port: number, describe: () => Promise<string>): Promise<EarlyProbes | undefined> {
    const server = createServer();
    const probes = new EarlyProbes(server, describe);
    server.on('request', (request, response) => void probes.answer(request.url ?? '', response));
    // An upgrade to a WebSocket, which no listener of requests gets.
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${RETRY_AFTER_SECONDS}\r\nConnection: close\r\n\r\n`,
      );
    });
    try {
      await once(server.listen({ host, port }), 'listening');
      return probes;
    } catch {
      return undefined;
    }
  }

  /**
   * The server, which another one can listen on (`listen(server)`): from then on that one gets the connections, and the
   * port is never closed. This one must not be closed then.
   */
  get listening(): Server {
    return this.server;
  }

  /** Frees the address. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(url: string, response: ServerResponse): Promise<void> {
    const [path] = url.split('?', 1);
    const doing = await this.describe().catch(() => 'opening the store');
    response.setHeader('Cache-Control', 'no-store').setHeader('Connection', 'close');
    if (path === '/health/live') return send(response, 200, buildReport('up', doing));
    response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
    if (path === '/health/ready' || path === '/health/startup') return send(response, 503, buildReport('down', doing));
    const problem = {
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: `The gateway starts: ${doing}`,
      code: 'SERVICE_UNAVAILABLE',
    };
    send(response, 503, problem, 'application/problem+json');
  }
}

/** Returns the body of a probe, in the form of those of a gateway that has started. */
function buildReport(status: 'up' | 'down', doing: string): object {
  const lifecycle = { lifecycle: { status, phase: 'starting', message: doing } };
  const [info, error] = status === 'up' ? [lifecycle, {}] : [{}, lifecycle];
  return { status: status === 'up' ? 'ok' : 'error', info, error, details: lifecycle };
}

function send(response: ServerResponse, status: number, body: object, type = 'application/json'): void {
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8` }).end(JSON.stringify(body));
}
