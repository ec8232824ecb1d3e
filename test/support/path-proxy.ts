import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy that serves what is behind it below a path, as Home Assistant or nginx with `proxy_pass` do. */
export interface PathProxy {
  /** The address of the gateway to people, without a slash at its end. */
  readonly url: string;
  /** Requests outside the path, which lead nowhere. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

/** Starts a proxy on `path` that hands requests and upgrades to what `findPort` returns, without the path. */
export async function startPathProxy(path: string, findPort: () => number): Promise<PathProxy> {
  const strays: string[] = [];
  const upgraded = new Set<Duplex>();
  const strip = ({ url = '' }: IncomingMessage) => {
    if (url.startsWith(`${path}/`)) return url.slice(path.length);
    strays.push(url);
    return undefined;
  };
  const server = createServer((incoming, response) => {
    const target = strip(incoming);
    if (target === undefined) return void response.writeHead(404).end();
    const { method = 'GET', headers } = incoming;
    const outgoing = request({ port: findPort(), path: target, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on('upgrade', (incoming, socket, head) => {
    const target = strip(incoming);
    if (target === undefined) return void socket.destroy();
    upgraded.add(socket);
    const upstream = connect(findPort(), '127.0.0.1', () => {
      const { rawHeaders } = incoming;
      const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
      upstream.write(`GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    strays,
    close: async () => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
