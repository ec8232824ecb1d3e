import type { TailscaleEntry } from '../core/store/index.js';
import { parseJson } from './machine-state.js';

/** One handler below a path. */
interface Handler {
  readonly Proxy?: string;
  readonly Path?: string;
  readonly Text?: string;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | null };
type ByName<T> = Readonly<Record<string, T>>;

/** The output of `tailscale serve status --json`. */
export type ServeStatus = Optional<{
  /** By port. */
  TCP: ByName<{ readonly HTTPS?: boolean; readonly HTTP?: boolean; readonly TCPForward?: string }>;
  /** By `HOST:PORT`. */
  Web: ByName<{ readonly Handlers?: ByName<Handler> | null }>;
  AllowFunnel: ByName<boolean>;
  /** Entries that end with the program that holds them, by its session. */
  Foreground: ByName<ServeStatus>;
}>;

/** The entries at a port of Tailscale. */
export interface PortState {
  /** Where each path leads. */
  readonly mounts: ReadonlyMap<string, string>;
  readonly isPublic: boolean;
  /** The service that takes the whole port, other than HTTPS. */
  readonly other: string | undefined;
}

/**
 * - `up`: it is as wanted.
 * - `free`: it can be set. With `hasOwn`, what the gateway has set there is switched off before.
 * - `ending`: it belongs to a gateway that has crashed, and is about to go.
 * - `taken`: another program or a person has it, and `problem` names that.
 */
export type Finding =
  | { readonly kind: 'up' }
  | { readonly kind: 'free'; readonly hasOwn: boolean }
  | { readonly kind: 'ending' }
  | { readonly kind: 'taken'; readonly problem: string };

/** Reads the output of `tailscale serve status --json`. @throws TailscaleError if it is not JSON */
export function parseServeStatus(stdout: string): ServeStatus {
  return parseJson<ServeStatus>(stdout, 'serve status');
}

/** Returns whether an entry that no program holds is still there. */
export function hasEntry(status: ServeStatus, { host, port, target }: TailscaleEntry): boolean {
  return isSameTarget(readPort(status, host, port).mounts.get('/'), target);
}

/**
 * Judges whether an entry is there, can be set, or is prevented by one of others.
 * @param own what the gateway has set before at this host and port
 * @param isHolding whether the gateway holds a program in the foreground
 */
export function judge(
  status: ServeStatus,
  wanted: TailscaleEntry,
  own: readonly TailscaleEntry[],
  isHolding: boolean,
): Finding {
  const { host, port } = wanted;
  const set = readPort(status, host, port);
  const held = Object.values(status.Foreground ?? {}).map((session) => readPort(session, host, port));
  const holder = held.find(({ mounts, other, isPublic }) => mounts.size > 0 || other !== undefined || isPublic);
  if (holder) return judgeHeld(holder, wanted, own, isHolding);
  if (set.other !== undefined)
    return taken(`port ${port} of Tailscale is taken by ${set.other}: set gateway.tailscale_port to another one`);
  const root = set.mounts.get('/');
  const isOwn = own.some(({ target }) => isSameTarget(root, target));
  if (root !== undefined && !isOwn && !isSameTarget(root, wanted.target)) return taken(describeRoot(wanted, root));
  return wanted.mode === 'serve' ? judgeServe(set, wanted, own) : judgeFunnel(set, wanted, isOwn);
}

/** Judges an entry of a program in the foreground: the one that this gateway holds, or another one. */
function judgeHeld(
  holder: PortState,
  wanted: TailscaleEntry,
  own: readonly TailscaleEntry[],
  isHolding: boolean,
): Finding {
  const root = holder.mounts.get('/');
  if (isHolding && wanted.mode === 'funnel' && holder.isPublic && isSameTarget(root, wanted.target))
    return { kind: 'up' };
  if (!isHolding && own.some((entry) => entry.mode === 'funnel' && isSameTarget(root, entry.target)))
    return { kind: 'ending' };
  const what = root ?? [...holder.mounts.keys()][0] ?? holder.other ?? 'a funnel';
  return taken(
    `port ${wanted.port} of Tailscale is held by a \`tailscale serve\` or \`tailscale funnel\` that runs in the foreground ` +
      `(${what}): end it, or set gateway.tailscale_port`,
  );
}

function judgeServe({ mounts, isPublic }: PortState, wanted: TailscaleEntry, own: readonly TailscaleEntry[]): Finding {
  const { host, port, target } = wanted;
  if (isPublic && !own.some((entry) => entry.mode === 'funnel')) {
    const others = [...mounts.keys()].filter((path) => path !== '/');
    const what = others.length === 0 ? '' : `, with ${others.join(', ')}`;
    return taken(
      `port ${port} of ${host} is open to the internet by a funnel that this gateway has not set${what}: ` +
        `run \`tailscale funnel --https=${port} off\`, or set gateway.tailscale_port`,
    );
  }
  if (!isPublic && isSameTarget(mounts.get('/'), target)) return { kind: 'up' };
  return { kind: 'free', hasOwn: false };
}

/** A funnel opens the whole port, so nothing else may stand there. */
function judgeFunnel({ mounts, isPublic }: PortState, { host, port }: TailscaleEntry, isOwn: boolean): Finding {
  const others = [...mounts.keys()].filter((path) => path !== '/');
  if (others.length > 0)
    return taken(
      `a funnel would put ${others.join(', ')} of ${host}:${port} on the internet as well: ` +
        'remove them, or set gateway.tailscale_port',
    );
  if (isOwn) return { kind: 'free', hasOwn: true };
  if (!mounts.has('/')) return { kind: 'free', hasOwn: false };
  if (isPublic) return { kind: 'up' };
  return taken(
    `${host}:${port} is served within the tailnet by a command that this gateway has not run: ` +
      `run \`tailscale serve --https=${port} --set-path=/ off\``,
  );
}

function describeRoot({ host, port }: TailscaleEntry, root: string): string {
  return (
    `https://${host}:${port}/ leads to ${root}, which is not this gateway: ` +
    `run \`tailscale serve --https=${port} --set-path=/ off\`, or set gateway.tailscale_port`
  );
}

function taken(problem: string): Finding {
  return { kind: 'taken', problem };
}

/** Returns the entries at a port of a name of this machine. */
export function readPort({ TCP, Web, AllowFunnel }: ServeStatus, host: string, port: number): PortState {
  const name = `${host}:${port}`;
  const handlers = Object.entries(Web?.[name]?.Handlers ?? {});
  const tcp = TCP?.[String(port)];
  const other = tcp?.TCPForward ? `tcp://${tcp.TCPForward}` : tcp?.HTTP ? 'plain HTTP' : undefined;
  return {
    mounts: new Map(handlers.map(([path, handler]) => [path, handler.Proxy ?? handler.Path ?? 'a text'])),
    isPublic: AllowFunnel?.[name] === true,
    other,
  };
}

/** A person may have written the same address in another way. */
function isSameTarget(one: string | undefined, other: string): boolean {
  return one !== undefined && normalise(one) === normalise(other);
}

function normalise(target: string): string {
  return target.replace(/\/+$/, '').replace('://localhost:', '://127.0.0.1:');
}
