import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** A page that was sent to a person. */
interface SentPage {
  readonly to: string;
  readonly text: string;
}

/** The pager service, in this process. It is busy once, so that the gateway has to try again. */
export class PagerService {
  readonly sent: SentPage[] = [];
  /** Number of messages of people that the driver has confirmed. */
  confirmed = 0;
  private readonly written: { number: number; from: string; text: string; at: string }[] = [];
  private readonly keys = new Set<string>();
  private isBusy = true;
  private readonly server = createServer((request, response) => void this.serve(request, response));

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A person writes to the bot. */
  write(from: string, text: string): void {
    this.written.push({ number: this.written.length + 1, from, text, at: new Date().toISOString() });
  }

  /** Returns the texts that a person has got, in order. */
  readonly textsOf = (to: string): string[] => this.sent.filter((page) => page.to === to).map(({ text }) => text);

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://pager');
    assert.equal(pathname, '/pages');
    if (request.method === 'POST' && this.isBusy) {
      this.isBusy = false;
      response.writeHead(429, { 'retry-after': '1' }).end();
    } else if (request.method === 'POST') {
      const { key, ...page } = (await json(request)) as SentPage & { readonly key: string };
      // A page that comes again under its key is sent once.
      if (!this.keys.has(key)) this.sent.push(page);
      response.end(JSON.stringify({ id: String(this.keys.add(key).size) }));
    } else {
      this.confirmed = Math.max(this.confirmed, Number(searchParams.get('after')));
      const isWaiting = () =>
        this.written.length <= this.confirmed && searchParams.get('wait') !== '0' && !request.destroyed;
      while (isWaiting()) await sleep(20);
      response.end(JSON.stringify(this.written.slice(this.confirmed)));
    }
  }
}

/** Checks again until it holds, for some seconds. */
export async function eventually(check: () => void): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    try {
      return check();
    } catch {
      await sleep(50);
    }
  }
  check();
}
