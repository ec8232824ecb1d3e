import { timingSafeEqual } from 'node:crypto';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import { EgressDeniedError, type EgressGuard, type PinnedTarget } from '../../../http/egress/egress-guard.js';

/** Time limit for a connection to a host, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Concurrent connections of the browser. */
const MAX_CONNECTIONS = 1_024;
/** Headers that are for one connection only (RFC 9110, section 7.6.1), and those for this proxy. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'upgrade'],
]);

/** Where the proxy listens, and who may use it. */
export interface ProxyOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Needed where other machines reach the proxy. */
  readonly credential?: { readonly username: string; readonly password: string };
}

/**
 * The proxy of a browser, and its only way out. Every request, and every tunnel (TLS, WebSockets), is checked by the
 * guard and connected to the addresses that were checked, so redirects and names that change are checked too.
 */
export class EgressProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();
  private readonly expected: Buffer | undefined;
  /** Called with `NAME:PORT` of each request, before it is checked. */
  onTarget: (target: string) => void = () => {};

  private constructor(
    private readonly guard: EgressGuard,
    credential: ProxyOptions['credential'],
  ) {
    this.expected =
      credential &&
      Buffer.from(`Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`);
    this.server = createServer((incoming, response) => void this.forward(incoming, response));
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.requestTimeout = 0;
    this.server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.keep(socket);
      void this.tunnel(incoming, socket, head);
    });
    this.server.on('upgrade', (_incoming, socket: Duplex) => socket.destroy());
    this.server.on('connection', (socket: Socket) => this.keep(socket));
    this.server.on('clientError', (_error, socket: Duplex) => socket.destroy());
  }

  static async start(guard: EgressGuard, { host, credential }: ProxyOptions): Promise<EgressProxy> {
    const proxy = new EgressProxy(guard, credential);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, host, resolve);
    });
    return proxy;
  }

  /** Its address as a URL. */
  get url(): string {
    const { address, family, port } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.isAllowed(incoming))
      return refuse(response, 407, 'a password is needed', { 'proxy-authenticate': 'Basic realm="browser"' });
    const url = URL.parse(incoming.url ?? '');
    if (url?.protocol !== 'http:') return refuse(response, 400, 'only requests of a proxy are answered');
    this.onTarget(`${url.hostname}:${url.port || '80'}`);
    try {
      this.send(await this.guard.check(url), incoming, response);
    } catch (error) {
      refuse(response, 403, reasonOf(error));
    }
  }

  private send({ url, lookup }: PinnedTarget, incoming: IncomingMessage, response: ServerResponse): void {
    const outgoing = request(url, {
      method: incoming.method ?? 'GET',
      headers: keepHeaders(incoming),
      lookup,
      // A kept connection would be used again without a check of its address.
      agent: false,
      timeout: CONNECT_TIMEOUT_MS,
    });
    outgoing.once('socket', (socket) => {
      this.keep(socket);
      socket.once('connect', () => outgoing.setTimeout(0));
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no connection in time')));
    outgoing.once('upgrade', (_answer, socket) => socket.destroy());
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, keepHeaders(answer));
      pipeline(answer, response, () => {});
    });
    pipeline(incoming, outgoing, (error) => {
      if (error && !response.headersSent) refuse(response, 502, reasonOf(error));
    });
    outgoing.once('close', () => {
      if (!response.headersSent) refuse(response, 502, 'the host closed the connection');
    });
    response.once('close', () => outgoing.destroy());
  }

  private async tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // The socket may end at any time.
    socket.on('error', () => {});
    if (!this.isAllowed(incoming))
      return void socket.end('HTTP/1.1 407 Denied\r\nProxy-Authenticate: Basic realm="browser"\r\n\r\n');
    this.onTarget(incoming.url ?? '');
    try {
      const { url, lookup } = await this.guard.check(`https://${incoming.url}`);
      const hostname = url.hostname.replace(/^\[|\]$/g, '');
      const upstream = connect({ host: hostname, port: Number(url.port || '443'), lookup });
      this.keep(upstream);
      upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy());
      let isOpen = false;
      upstream.once('connect', () => {
        isOpen = true;
        upstream.setTimeout(0);
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        upstream.write(head);
        // Not `pipeline`, which adds so many listeners to one socket that Node warns of a leak.
        socket.pipe(upstream).pipe(socket);
      });
      upstream.once('error', () => {
        if (isOpen) socket.destroy();
        else socket.end('HTTP/1.1 502 Unreachable\r\n\r\n');
      });
      upstream.once('close', () => socket.end().resume());
      socket.once('close', () => upstream.destroy());
    } catch {
      socket.end('HTTP/1.1 403 Denied\r\n\r\n');
    }
  }

  private isAllowed({ headers }: IncomingMessage): boolean {
    if (!this.expected) return true;
    const given = Buffer.from(headers['proxy-authorization'] ?? '');
    return given.length === this.expected.length && timingSafeEqual(given, this.expected);
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function refuse(response: ServerResponse, status: number, reason: string, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(`The gateway refuses this request: ${reason}`);
}

function keepHeaders({ rawHeaders }: IncomingMessage): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

function reasonOf(error: unknown): string {
  return error instanceof EgressDeniedError ? error.message : 'the host cannot be reached';
}
