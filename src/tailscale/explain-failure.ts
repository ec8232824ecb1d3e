import { userInfo } from 'node:os';
import type { TailscaleEntry } from '../core/store/index.js';
import type { ProgramResult } from './tailscale-program.js';

const CONFLICT = 'Another client is changing the serve config';
const CONSENT = /https:\/\/login\.tailscale\.com\/\S+/;
const MAX_QUOTED = 300;

type Output = Pick<ProgramResult, 'code' | 'stdout' | 'stderr' | 'isLate'>;

/** Returns whether another program wrote at the same time: the call can be made again. */
export function isConflict({ stdout, stderr }: Output): boolean {
  return `${stdout}${stderr}`.includes(CONFLICT);
}

/** Returns whether `off` failed because nothing was set. */
export function isAlreadyOff({ stdout, stderr }: Output): boolean {
  return /handler does not exist|nothing to remove/i.test(`${stdout}${stderr}`);
}

/**
 * Returns why an entry is not there after its call, with what the operator does.
 * @param options of the program before its command
 */
export function explainFailure(
  output: Output,
  { port, target }: TailscaleEntry,
  options: readonly string[] = [],
): string {
  const text = `${output.stderr}\n${output.stdout}`;
  const [consent] = CONSENT.exec(text) ?? [];
  if (consent !== undefined) return `the tailnet does not allow this yet: open ${consent}`;
  if (/must be root/i.test(text))
    return `only root may lead Tailscale to a unix socket: run once \`sudo ${serveCommand(port, target, options)}\``;
  if (/serve config denied|access denied/i.test(text))
    return `this user may not change Tailscale: run \`sudo tailscale set --operator=${nameUser()}\``;
  if (/listener already exists|already in use/i.test(text))
    return `another program of this machine listens on port ${port}: stop it, or set gateway.tailscale_port`;
  if (isConflict(output)) return 'other programs keep changing the configuration of Tailscale';
  if (output.isLate) return '`tailscale` did not end in time; look at `tailscale status`';
  const said = text.trim().split('\n', 1)[0]?.slice(0, MAX_QUOTED);
  if (output.code === 0) return `\`tailscale\` reports success, but \`tailscale serve status\` does not show it`;
  return `\`tailscale\` failed with code ${output.code}${said ? `: ${said}` : ''}`;
}

/** Returns the command that serves `target`, for people. */
export function serveCommand(port: number, target: string, options: readonly string[] = []): string {
  const words = ['tailscale', ...options, 'serve', '--bg', '--yes', `--https=${port}`, '--set-path=/', target];
  return words.map(quote).join(' ');
}

/** Returns a word as a shell takes it. */
function quote(word: string): string {
  return /^[\w:/.@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A process in a container may run under a number without a name. */
function nameUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'USER');
  }
}
