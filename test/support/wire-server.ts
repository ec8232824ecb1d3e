import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider } from '../../src/agents/pi/providers.js';
import type { Wire } from './model-server.js';

/** A response as it goes over the wire. Pieces of the body are written one by one. */
export interface WireResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | readonly string[];
}

/** The JSON body of a request, whose fields depend on the wire. */
export type WireRequest = Readonly<Record<string, unknown>>;

/** A provider of models that sends exactly the bytes that a test gives it, and keeps what it was sent. */
export class WireServer {
  readonly asked: WireRequest[] = [];
  private readonly responses: WireResponse[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WireServer> {
    const http = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        server.asked.push(JSON.parse(Buffer.concat(chunks).toString()) as WireRequest);
        server.respond(response);
      });
    });
    const server = new WireServer(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The setting that leads to it. */
  provider(api: Wire, changes: Partial<Provider> = {}): Provider {
    return { api, base_url: api === 'anthropic-messages' ? this.url : `${this.url}/v1`, ...changes };
  }

  /** The next responses, in order; a text is the body of an event stream. The last one repeats. */
  answer(...responses: readonly (string | WireResponse)[]): void {
    this.responses.push(...responses.map((one) => (typeof one === 'string' ? { body: one } : one)));
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private respond(response: ServerResponse): void {
    const next = this.responses.length > 1 ? this.responses.shift() : this.responses[0];
    const { status = 200, headers = { 'content-type': 'text/event-stream' }, body } = next ?? { status: 500, body: '' };
    response.writeHead(status, headers);
    for (const piece of typeof body === 'string' ? [body] : body) response.write(piece);
    response.end();
  }
}

/** Events of a stream, one line each, as most servers send them. */
export function events(...data: readonly unknown[]): string {
  return data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');
}
