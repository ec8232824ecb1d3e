import { TailscaleError } from './tailscale-error.js';

/** The state of this machine in its tailnet. `starting`: it will be known soon. */
export type MachineState = { readonly kind: 'starting' } | { readonly kind: 'running'; readonly host: string };

/** The fields of `tailscale status --json` that are read. */
interface Status {
  readonly BackendState?: string;
  readonly Self?: { readonly DNSName?: string; readonly Online?: boolean } | null;
  /** Null without HTTPS certificates. */
  readonly CertDomains?: readonly string[] | null;
}

/** Advice to the operator for each state in which nothing can be exposed. */
const ADVICE: Readonly<Record<string, string>> = {
  NeedsLogin: 'Tailscale is logged out: run `sudo tailscale up`',
  Stopped: 'Tailscale is stopped: run `sudo tailscale up`',
  NeedsMachineAuth: 'an admin of the tailnet must approve this machine: https://login.tailscale.com/admin/machines',
  InUseOtherUser: 'another user of this machine uses Tailscale: log in as that user, or log that user out',
};

/**
 * Reads the output of `tailscale status --json`.
 * @throws TailscaleError that says what the operator does
 */
export function readMachineState(stdout: string): MachineState {
  const { BackendState: state = '', Self: self, CertDomains: certificates } = parseJson<Status>(stdout, 'status');
  if (state === 'Starting' || state === 'NoState') return { kind: 'starting' };
  if (state !== 'Running')
    throw new TailscaleError(ADVICE[state] ?? `Tailscale does not run (${state || 'its state is unknown'})`);
  return { kind: 'running', host: readHost(self, certificates) };
}

/** Reads the name of the machine from the output of `tailscale status --json`; undefined if it has none. */
export function readName(stdout: string): string | undefined {
  return nameOf(parseJson<Status>(stdout, 'status').Self);
}

/** Labels of letters, digits and hyphens: it becomes part of addresses and of settings of Tailscale. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function nameOf(self: Status['Self']): string | undefined {
  const name = (self?.DNSName ?? '').replace(/\.$/, '').toLowerCase();
  return HOST_NAME.test(name) ? name : undefined;
}

/** Returns the name of the machine. @throws TailscaleError if requests for it would not arrive */
function readHost(self: Status['Self'], certificates: Status['CertDomains']): string {
  const host = nameOf(self);
  if (host === undefined)
    throw new TailscaleError(
      'this machine has no name in its tailnet: switch on MagicDNS at https://login.tailscale.com/admin/dns',
    );
  if (self?.Online === false)
    throw new TailscaleError('this machine is not connected to its tailnet: check its network, and `tailscale status`');
  // Older programs do not say.
  if (certificates === undefined || (certificates?.length ?? 0) > 0) return host;
  throw new TailscaleError(
    'the tailnet has no HTTPS certificates: switch on HTTPS certificates at https://login.tailscale.com/admin/dns',
  );
}

/**
 * Parses the standard output of a call. An empty object stands for `null`.
 * @throws TailscaleError if it is not an object
 */
export function parseJson<T extends object>(stdout: string, command: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(stdout);
    if (typeof value === 'object' && !Array.isArray(value)) return value ?? {};
  } catch {
    // Reported below.
  }
  throw new TailscaleError(`\`tailscale ${command} --json\` gave no object: update Tailscale`);
}
