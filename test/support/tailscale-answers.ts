import { readFileSync } from 'node:fs';

/** What `tailscale serve status --json` prints. */
export interface ServeConfig {
  TCP?: Record<string, object>;
  Web?: Record<string, { Handlers: Record<string, object> }>;
  AllowFunnel?: Record<string, boolean>;
  /** What programs hold that run, by their process ids. */
  Foreground?: Record<string, ServeConfig>;
}

/** The state and the behaviour of the stand-in. */
export interface StandInState {
  status: object;
  /** What `serve status --json` prints. */
  serve?: object | null;
  /** In place of {@link serve}, word for word. */
  serveText?: string;
  /** What `whois` prints, by address. */
  whois?: Readonly<Record<string, object>>;
  /** Each call takes this long. */
  slowMs?: number;
  daemon?: 'away';
  /** The next changes that fail because another program writes at the same time. */
  conflicts?: number;
  denied?: boolean;
  /** The port of the machine is taken. */
  occupied?: boolean;
  /** A unix socket needs root. */
  needsRoot?: boolean;
  /** The capability is missing: this address is printed, with exit code 0. */
  consent?: string;
  consentWaits?: boolean;
  /** Changes end with exit code 0 and change nothing. */
  isWithoutEffect?: boolean;
}

/** What one run of the program does: it prints, waits and ends. */
export interface ProgramRun {
  readonly out?: string;
  readonly err?: string;
  readonly code?: number;
  readonly waitsMs?: number;
}

const NEVER_MS = 600_000;

const fail = (message: string): ProgramRun => ({ err: `${message}\n`, code: 1 });
const print = (value: unknown): ProgramRun => ({
  err: 'Warning: client version differs from server version\n',
  out: JSON.stringify(value, null, 2),
});

/**
 * Runs the program `tailscale` on a state, which it changes. It knows the commands that the gateway uses and no more. It was
 * written from what `tailscale` 1.103 is documented to do.
 */
export function runTailscale(state: StandInState, pid: number, args: readonly string[]): ProgramRun {
  const [command, ...rest] = args.filter((arg) => !arg.startsWith('--socket='));
  if (state.daemon === 'away') return fail('failed to connect to local tailscaled; it does not appear to be running');
  if (command === 'status') return print(state.status);
  if (command === 'whois') {
    const found = state.whois?.[rest.at(-1) ?? ''];
    return found === undefined ? fail('peer not found') : print(found);
  }
  if (command !== 'serve' && command !== 'funnel') return fail(`unknown command ${command}`);
  return rest[0] === 'status'
    ? showServe(state)
    : (refuse(state, command, rest) ?? changeServe(state, pid, command, rest));
}

function showServe(state: StandInState): ProgramRun {
  const { Foreground: held = {} } = (state.serve ?? {}) as ServeConfig;
  // tailscaled forgets what a program held when that program has gone.
  for (const pid of Object.keys(held)) if (!isAlive(pid)) delete held[pid];
  return { out: state.serveText ?? JSON.stringify(state.serve ?? null, null, 2) };
}

/** Returns what a change does in place of the change; undefined if it is made. */
function refuse(state: StandInState, command: string, args: readonly string[]): ProgramRun | undefined {
  const target = args.at(-1) ?? '';
  if (state.conflicts) {
    state.conflicts--;
    return fail('Another client is changing the serve config; please try again.');
  }
  if (state.denied)
    return fail("sending serve config: Access denied: serve config denied\n\nUse 'sudo tailscale serve'.");
  if (target === 'off') return undefined;
  if (state.occupied)
    return fail(`sending serve config: updating config: listener already exists for port ${portOf(args)}`);
  if (target.startsWith('unix:') && state.needsRoot)
    return fail("must be root, or be an operator and able to run 'sudo tailscale' to serve a path or Unix socket");
  if (state.consent) {
    const out = `${command} is not enabled on your tailnet.\nTo enable, visit:\n\n         ${state.consent}\n`;
    return { out, ...(state.consentWaits && { waitsMs: NEVER_MS }) };
  }
  return state.isWithoutEffect ? {} : undefined;
}

function changeServe(state: StandInState, pid: number, command: string, args: readonly string[]): ProgramRun {
  const { DNSName: host } = (state.status as { Self: { DNSName: string } }).Self;
  const port = portOf(args);
  const name = `${host.replace(/\.$/, '')}:${port}`;
  const mount = args.find((arg) => arg.startsWith('--set-path='))?.slice('--set-path='.length);
  const target = args.at(-1);
  const serve = (state.serve ?? {}) as ServeConfig;
  if (target === 'off') {
    const refusal = removeHandler(serve, name, port, mount);
    state.serve = serve;
    return refusal ?? {};
  }
  const isHeld = !args.includes('--bg');
  if (isHeld && serve.TCP?.[port] !== undefined) return fail('background configuration already exists');
  const place = isHeld ? ((serve.Foreground ??= {})[pid] ??= {}) : serve;
  (place.TCP ??= {})[port] = { HTTPS: true };
  ((place.Web ??= {})[name] ??= { Handlers: {} }).Handlers[mount ?? '/'] = { Proxy: target };
  if (command === 'funnel') (place.AllowFunnel ??= {})[name] = true;
  else delete place.AllowFunnel?.[name];
  state.serve = serve;
  if (!isHeld) return {};
  const out = 'Available on the internet:\nPress Ctrl+C to exit.\n';
  return { out, waitsMs: NEVER_MS, code: 1 };
}

function removeHandler(
  serve: ServeConfig,
  name: string,
  port: string,
  mount: string | undefined,
): ProgramRun | undefined {
  const handlers = serve.Web?.[name]?.Handlers;
  if (mount === undefined) delete serve.Web?.[name];
  else if (handlers?.[mount] === undefined) return fail('error: failed to remove web serve: handler does not exist');
  else delete handlers[mount];
  if (Object.keys(serve.Web?.[name]?.Handlers ?? {}).length > 0) return undefined;
  delete serve.Web?.[name];
  delete serve.TCP?.[port];
  delete serve.AllowFunnel?.[name];
  return undefined;
}

function portOf(args: readonly string[]): string {
  return /--https=(\d+)/.exec(args.join(' '))?.[1] ?? '';
}

function isAlive(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
