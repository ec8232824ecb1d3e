import type { TailscaleEntry } from '../core/store/index.js';
import type { Clock } from '../core/time/clock.js';
import { isAlreadyOff, isConflict } from './explain-failure.js';
import { parseJson, readMachineState, readName, type MachineState } from './machine-state.js';
import { parseServeStatus, type ServeStatus } from './serve-status.js';
import { TailscaleError } from './tailscale-error.js';
import { CALL_TIMEOUT_MS, type ProgramResult, type TailscaleProgram } from './tailscale-program.js';

/** Number of repetitions of a call after another program wrote at the same time. */
const MAX_CONFLICTS = 3;
const CONFLICT_PAUSE_MS = 500;
/** Time in which Tailscale may start, in milliseconds: the machine may have started a moment ago. */
const STARTING_PATIENCE_MS = 30_000;
const STARTING_POLL_MS = 1_000;

/** Returns where people reach what is served. */
export function describeAddress(host: string, port: number): string {
  return `https://${host}${port === 443 ? '' : `:${port}`}`;
}

/** The calls of the program `tailscale` that the gateway makes. */
export class TailscaleClient {
  constructor(
    readonly program: TailscaleProgram,
    private readonly clock: Clock,
  ) {}

  /**
   * Resolves with the name of this machine in its tailnet, without a dot at its end. Waits while Tailscale starts.
   * @param signal ends the wait
   * @throws TailscaleError that says what the operator does
   */
  async findHost(signal: AbortSignal): Promise<string> {
    const until = this.clock.elapsed() + STARTING_PATIENCE_MS;
    for (;;) {
      const state = await this.readMachine();
      if (state.kind === 'running') return state.host;
      if (signal.aborted || this.clock.elapsed() >= until)
        throw new TailscaleError('Tailscale is still starting; look at `tailscale status`');
      await this.clock.sleep(STARTING_POLL_MS, signal);
    }
  }

  /** Resolves with the name of this machine, whatever its state; undefined if it has none. @throws TailscaleError */
  async readName(timeoutMs?: number): Promise<string | undefined> {
    return readName((await this.read(['status', '--json'], timeoutMs)).stdout);
  }

  /** Reads what is served. @throws TailscaleError */
  async readServe(timeoutMs?: number): Promise<ServeStatus> {
    return parseServeStatus((await this.read(['serve', 'status', '--json'], timeoutMs)).stdout);
  }

  /** Sets an entry that stays until it is switched off. That it ends well proves nothing. @throws TailscaleError */
  serve({ port, target }: TailscaleEntry): Promise<ProgramResult> {
    return this.change(['serve', '--bg', '--yes', `--https=${port}`, '--set-path=/', target]);
  }

  /**
   * Switches off only the `/` of a port. Its success does not prove the effect. Resolves with false if nothing was
   * there to switch off.
   */
  async off({ port, mode }: TailscaleEntry, timeoutMs?: number): Promise<boolean> {
    const result = await this.change([mode, `--https=${port}`, '--set-path=/', 'off'], timeoutMs);
    return !isAlreadyOff(result);
  }

  /**
   * Resolves with the login of the person to whom a machine of the tailnet belongs; undefined for machines of none.
   * @param address an IP address, checked by the caller
   * @throws TailscaleError if it cannot be asked
   */
  async whois(address: string, timeoutMs: number): Promise<string | undefined> {
    const result = await this.program.run(['whois', '--json', address], timeoutMs);
    if (result.code === 0) return readLogin(result.stdout);
    if (/not found|no match/i.test(result.stderr)) return undefined;
    throw new TailscaleError(`\`tailscale whois\` failed with code ${result.code}`);
  }

  private async readMachine(): Promise<MachineState> {
    return readMachineState((await this.read(['status', '--json'])).stdout);
  }

  private async change(args: readonly string[], timeoutMs = CALL_TIMEOUT_MS): Promise<ProgramResult> {
    for (let n = 0; ; n++) {
      const result = await this.program.run(args, timeoutMs);
      if (!isConflict(result) || n >= MAX_CONFLICTS) return result;
      await this.clock.sleep(CONFLICT_PAUSE_MS);
    }
  }

  /** Only the standard output is parsed: warnings come on the other one. */
  private async read(args: readonly string[], timeoutMs = CALL_TIMEOUT_MS): Promise<ProgramResult> {
    const result = await this.program.run(args, timeoutMs);
    if (result.stdout.trim() !== '') return result;
    if (result.isLate) throw new TailscaleError(`\`tailscale ${args.join(' ')}\` did not end in time`);
    throw new TailscaleError(
      `tailscaled does not respond (${firstLine(result.stderr)}): start it, or set gateway.tailscale_socket`,
    );
  }
}

interface Whois {
  readonly Node?: { readonly Tags?: readonly string[] | null } | null;
  readonly UserProfile?: { readonly LoginName?: string } | null;
}

/** Returns the login of the owner. A machine with tags has none, whatever its profile says. */
function readLogin(stdout: string): string | undefined {
  const { Node: node, UserProfile: profile } = parseJson<Whois>(stdout, 'whois');
  if ((node?.Tags?.length ?? 0) > 0) return undefined;
  return profile?.LoginName;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 200) || 'without a reason';
}
