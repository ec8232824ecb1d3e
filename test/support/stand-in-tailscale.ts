import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const HOST = 'gw.tail1234.ts.net';

/** What the stand-in knows, and how it behaves. */
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
  /** A program in the foreground ends by itself. */
  heldEndsAfterMs?: number;
}

export const RUNNING = {
  BackendState: 'Running',
  Self: { DNSName: `${HOST}.`, Online: true },
  CertDomains: [HOST],
};

/** A program in place of `tailscale`, with its state in a folder of its own. */
export class StandInTailscale {
  readonly folder = mkdtempSync(join(tmpdir(), 'tailscale-'));
  /** For `gateway.tailscale_bin`. */
  readonly program = join(this.folder, 'tailscale');

  constructor(state: Partial<StandInState> = {}) {
    const script = new URL('tailscale-program.mjs', import.meta.url).href;
    const run = `import(${JSON.stringify(script)}).then((it) => it.runTailscale(${JSON.stringify(this.folder)}, process.argv.slice(2)))`;
    writeFileSync(this.program, `#!${process.execPath}\n${run};\n`);
    chmodSync(this.program, 0o755);
    this.change({ status: RUNNING, ...state });
  }

  get state(): StandInState {
    const path = join(this.folder, 'state.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StandInState) : { status: {} };
  }

  change(changes: Partial<StandInState>): void {
    writeFileSync(join(this.folder, 'state.json'), JSON.stringify({ ...this.state, ...changes }));
  }

  /** The arguments of each call, without those that only look. */
  get changes(): string[] {
    return this.calls.filter((call) => !/^(status|serve status|whois)/.test(call));
  }

  /** The arguments of each call. */
  get calls(): string[] {
    const path = join(this.folder, 'calls.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return lines.map((line) => (JSON.parse(line) as string[]).join(' '));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Returns what stands at a port: the output of `serve status --json`. */
export function served(target: string, { port = 443, isPublic = false, others = {}, host = HOST } = {}): object {
  const name = `${host}:${port}`;
  return {
    TCP: { [port]: { HTTPS: true } },
    Web: { [name]: { Handlers: { '/': { Proxy: target }, ...others } } },
    ...(isPublic && { AllowFunnel: { [name]: true } }),
  };
}
