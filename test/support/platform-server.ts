import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { DeliveryError, DriverError } from '../../src/core/channels/driver.js';
import type { FakePlatform, PlatformApi } from '../../src/testing/fake-platform.js';
import { close, listen, urlOf } from './loopback.js';

/** Offers a made-up platform to another process over HTTP: `POST /METHOD` with the arguments as JSON. */
export class PlatformServer {
  private constructor(private readonly server: Server) {}

  static async start(platform: FakePlatform): Promise<PlatformServer> {
    const serve = async (request: IncomingMessage, response: ServerResponse) => {
      const method = platform[request.url?.slice(1) as keyof PlatformApi] as (...all: never[]) => unknown;
      const all = (await json(request)) as never[];
      response.end(JSON.stringify(await answer(() => method.apply(platform, all))));
    };
    const server = createServer((request, response) => void serve(request, response));
    await listen(server);
    return new PlatformServer(server);
  }

  get url(): string {
    return urlOf(this.server);
  }

  async close(): Promise<void> {
    await close(this.server);
  }
}

async function answer(call: () => unknown): Promise<object> {
  try {
    return { result: await call() };
  } catch (error) {
    if (error instanceof DeliveryError || error instanceof DriverError)
      return { failure: { ...error, message: error.message } };
    throw error;
  }
}
