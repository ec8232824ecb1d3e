import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes connections on to a port that can change, and cuts them when a test says so. */
export class CuttingProxy {
  private port = 0;
  private readonly open = new Set<Socket>();
  private readonly waiting = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<CuttingProxy> {
    const server = createServer();
    const proxy = new CuttingProxy(server);
    server.on('connection', (socket) => proxy.pass(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /**
   * Sets the port behind it; 0 while there is none. Connections wait for one: peers that were refused come back the later, the
   * longer it took.
   */
  set target(port: number) {
    this.port = port;
    if (port === 0) return;
    for (const socket of this.waiting) this.connect(socket);
    this.waiting.clear();
  }

  get connections(): number {
    return this.open.size / 2;
  }

  /** Cuts all connections without a word. */
  cut(): void {
    for (const socket of [...this.open, ...this.waiting]) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private pass(front: Socket): void {
    if (this.port !== 0) return this.connect(front);
    this.waiting.add(front);
    front.on('error', () => {});
    front.once('close', () => this.waiting.delete(front));
  }

  private connect(front: Socket): void {
    const back = connect(this.port, '127.0.0.1');
    for (const socket of [front, back]) {
      this.open.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.open.delete(socket);
        front.destroy();
        back.destroy();
      });
    }
    front.pipe(back).pipe(front);
  }
}
