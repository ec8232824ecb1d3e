import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A model server that lists `models` and answers each question with `text`, one word per event. */
export class ListingServer {
  /** The headers of each request for the list. */
  readonly listed: IncomingHttpHeaders[] = [];
  /** The headers of each question. */
  readonly asked: IncomingHttpHeaders[] = [];

  private constructor(private readonly server: Server) {}

  /** @param models entries of the list @param text undefined to refuse every key @param key the only one that may list */
  static async start(models: readonly object[], text?: string, key?: string): Promise<ListingServer> {
    const http = createServer((request, response) => {
      const isList = request.method === 'GET';
      (isList ? listing.listed : listing.asked).push(request.headers);
      const isRefused = key !== undefined && request.headers.authorization !== `Bearer ${key}`;
      if (isRefused) response.writeHead(401).end();
      else if (isList && /^\/v1\/models(\?|$)/.test(request.url ?? '')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'list', data: models }));
      } else if (isList || text === undefined) {
        response.writeHead(isList ? 404 : 401, { 'content-type': 'application/json' });
        response.end('{"error":{"message":"no such key: sk-secret"}}');
      } else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const word of text.split(/(?<= )/))
          response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: word } }] })}\n\n`);
        response.end('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
      }
    });
    const listing = new ListingServer(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return listing;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The address of its API. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
