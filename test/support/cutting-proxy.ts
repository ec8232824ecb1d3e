import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Passes connections on to a port that can change, and cuts them when a test says so. */
export class CuttingProxy {
  /** The port behind it; 0 while there is none. */
  target = 0;
  private readonly open = new Set<Socket>();

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

  get connections(): number {
    return this.open.size / 2;
  }

  /** Cuts all connections without a word. */
  cut(): void {
    for (const socket of this.open) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private pass(front: Socket): void {
    const back = connect(this.target, '127.0.0.1');
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
