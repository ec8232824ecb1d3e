import { constants, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.ts';

/**
 * Folder for databases of the benchmark: on the project's disk, since the system's temporary folder may be in memory.
 */
const TMP = fileURLToPath(new URL('./.tmp/', import.meta.url));

/** The token of the load generator. It is used on loopback only and only during the benchmark. */
export const TOKEN = 'benchmark-token-on-loopback-only';

/** The checkout whose gateway is measured: a folder in which `npm run build` has run. */
let build = fileURLToPath(new URL('..', import.meta.url));

/** Returns the checkout whose gateway is measured. */
export function currentBuild(): string {
  return build;
}

/** Measures the gateway of another checkout from now on. */
export function useBuild(folder: string): void {
  build = folder;
}

const GATEWAY_ENV = {
  OPENCLAW_GATEWAY_PORT: '0',
  OPENCLAW_LOG_LEVEL: 'warn',
  OPENCLAW_AUTH_TOKENS: JSON.stringify([{ token: TOKEN, principal: 'bench', role: 'channel' }]),
};

/** Raises the limits that would stop a benchmark; everything else is the default. */
const RAISED_LIMITS = {
  OPENCLAW_LIMITS_MESSAGES_PER_MINUTE: '10000000',
  OPENCLAW_LIMITS_CONNECTIONS_PER_ADDRESS: '10000000',
  OPENCLAW_LIMITS_SESSIONS_READ: '10000000',
  OPENCLAW_QUEUE_MAX_PER_SESSION: '10000000',
  OPENCLAW_QUEUE_MAX_PER_CLIENT: '10000000',
  OPENCLAW_QUEUE_MAX_TOTAL: '10000000',
};

const folders = new Set<string>();
process.once('exit', () => folders.forEach(remove));

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** A folder on the real disk that is removed afterwards, even when the benchmark is aborted. */
export class TemporaryFolder implements Disposable {
  readonly path: string;

  constructor() {
    mkdirSync(TMP, { recursive: true });
    this.path = mkdtempSync(TMP);
    folders.add(this.path);
  }

  [Symbol.dispose](): void {
    folders.delete(this.path);
    remove(this.path);
  }
}

export interface GatewayVariation {
  readonly folder: TemporaryFolder;
  readonly env?: Readonly<Record<string, string>>;
  /** A database to start with; the gateway gets a copy of it. Default: a new one. */
  readonly database?: string;
  /** A module that Node loads first. */
  readonly preload?: string;
  /** True for an IPC channel, for a preload that responds to messages. The gateway then keeps the flags of this process. */
  readonly ipc?: boolean;
  /** Default: false, so that no limit stops the benchmark. */
  readonly hasDefaultLimits?: boolean;
}

/** Starts the gateway like `openclaw start`, authenticated, with its database on the real disk. */
export function startGateway(variation: GatewayVariation): Promise<ServerProcess> {
  const { folder, env = {}, database, preload, ipc = false, hasDefaultLimits = false } = variation;
  const path = `${folder.path}/gateway.db`;
  if (database !== undefined) copyFileSync(database, path, constants.COPYFILE_FICLONE);
  return ServerProcess.start({
    args: [...(preload === undefined ? [] : ['--import', preload]), join(build, 'bin/openclaw.js'), 'start'],
    cwd: folder.path,
    ipc,
    env: { ...GATEWAY_ENV, ...(!hasDefaultLimits && RAISED_LIMITS), OPENCLAW_STORE_URL: `sqlite:${path}`, ...env },
  });
}

/** Servers to compare with: typical implementations without a gateway. None of them stores anything. */
export type PeerName = 'plain-ws' | 'nest-stock' | 'socket-io' | 'collector';

export function startPeer(name: PeerName): Promise<ServerProcess> {
  return ServerProcess.start({ args: [fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url))] });
}
