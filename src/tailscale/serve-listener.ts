import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { isListening } from '../http/is-listening.js';
import { TailscaleError } from './tailscale-error.js';

/** Longest path of a unix socket on all systems, in bytes. */
const MAX_PATH_BYTES = 103;

/** A unix socket for tailscaled alone: only this user, and root, get through its folder. */
export class ServeListener {
  private server: Server | undefined;

  /**
   * @param findPath returns the path of the socket
   * @param onSocket called with each connection
   */
  constructor(
    private readonly findPath: () => string,
    private readonly onSocket: (socket: Socket) => void,
  ) {}

  /** Where Serve leads requests to. */
  get target(): string {
    return `unix:${resolve(this.findPath())}`;
  }

  /**
   * Listens, unless it does.
   * @throws TailscaleError if others could connect, or another process listens
   */
  async open(): Promise<void> {
    if (this.server) return;
    const path = resolve(this.findPath());
    if (process.platform === 'win32')
      throw new TailscaleError('auth.tailscale: true needs a unix socket, which Windows has not; use trust-local');
    if (Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw new TailscaleError(`gateway.tailscale_listen: ${path} is longer than ${MAX_PATH_BYTES} bytes`);
    checkFolder(dirname(path));
    await removeStale(path);
    const server = createServer(this.onSocket);
    try {
      await once(server.listen(path), 'listening');
    } catch (error) {
      throw new TailscaleError(`gateway.tailscale_listen: ${path} cannot be used (${(error as Error).message})`, {
        cause: error,
      });
    }
    chmodSync(path, 0o600);
    this.server = server;
  }

  /** Accepts no more connections, and removes the socket. */
  close(): void {
    this.server?.close();
    this.server = undefined;
  }
}

/** @throws TailscaleError if others get through the folder */
function checkFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = lstatSync(folder);
    const isOwn = process.getuid === undefined || uid === process.getuid();
    if (isOwn && (mode & 0o077) === 0) return;
  } catch (error) {
    throw new TailscaleError(`gateway.tailscale_listen: ${(error as Error).message}`, { cause: error });
  }
  throw new TailscaleError(
    `gateway.tailscale_listen: other users get into ${folder}: run \`chmod 700 ${folder}\` as its owner, or name another folder`,
  );
}

/** Removes the socket of a process that has ended. @throws TailscaleError if one listens, or it is not a socket */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new TailscaleError(`gateway.tailscale_listen: ${path} is not a socket; remove it`);
  if (await isListening({ path }))
    throw new TailscaleError(`gateway.tailscale_listen: another process listens at ${path}`);
  rmSync(path, { force: true });
}
