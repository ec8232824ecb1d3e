import type { Command } from '../command.js';
import { EXIT } from '../faults.js';
import { request } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { formatMs, formatTime } from '../admin-session.js';
import { formatDuration, formatTable } from '../table.js';
import { painter, printable, printJson, type Terminal } from '../terminal.js';

/** The body of `GET /health`; unauthenticated callers get only the first two fields. */
interface Health {
  readonly status: 'healthy' | 'degraded' | 'draining';
  readonly uptime_seconds: number;
  readonly connected_channels?: readonly string[];
  readonly active_sessions?: number;
  readonly queued_messages?: number;
  readonly registered_tools?: number;
  readonly memory_usage_mb?: number;
  readonly reasons?: readonly string[];
}

/** The part of the status that operators see. */
interface Details {
  readonly version: string;
  readonly counts: Readonly<Record<'connections' | 'running' | 'approvals' | 'dead_letters', number>>;
  readonly store?: { readonly last_backup_at?: number };
  readonly warnings: readonly {
    readonly severity: string;
    readonly since: number;
    readonly sentence: string;
  }[];
  readonly minutes: readonly {
    readonly messages: number;
    readonly failed: number;
    readonly first_block_p95_ms?: number;
  }[];
}

/** The time that the sums are of, in seconds. */
const HOUR_S = 3_600;

/** `openclaw status`: shows the state of a gateway. */
export const status: Command = {
  name: 'status',
  summary: 'state of the gateway: health, sessions, queue, tools',
  usage: `Usage: openclaw status [--url URL] [--json]

Shows the state of a running gateway.

  --url URL  where it is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Without a credential in OPENCLAW_TOKEN a protected gateway returns only its status. A wrong one is exit code 1.

Examples:
  openclaw status
  openclaw status --url https://gateway.example --json
`,
  async run(args, terminal) {
    const { values } = readOptions('status', args, GATEWAY_OPTIONS);
    const target = readTarget('status', values.url, terminal);
    const health = await readHealth(terminal, target);
    // Strangers get health without numbers, and so does a token that is refused.
    const details =
      health.active_sessions === undefined ? await checkToken(terminal, target) : await readDetails(terminal, target);
    if (values.json) printJson(terminal, { ...health, ...details });
    else print(terminal, target, health, details);
    return EXIT.done;
  },
};

async function readHealth(terminal: Terminal, target: GatewayTarget): Promise<Health> {
  const response = await request(terminal, target, '/health');
  const body: unknown = await response.json().catch(() => undefined);
  // A gateway that is draining responds with 503 and reports it in the body.
  if (typeof body === 'object' && body !== null && 'uptime_seconds' in body) return body as Health;
  throw new Error(
    `${target.url} responded to /health with HTTP ${response.status}${response.ok ? ', but not as a gateway does' : ''}`,
  );
}

/** @throws Error for a token that the gateway does not know */
async function checkToken(terminal: Terminal, target: GatewayTarget): Promise<undefined> {
  if (target.token === undefined || target.source !== 'OPENCLAW_TOKEN') return;
  const response = await request(terminal, target, '/admin/v1/me');
  if (response.status === 401) throw new Error(`${target.url} does not know the token in OPENCLAW_TOKEN`);
}

/** Reads what operators see; undefined for others. */
async function readDetails(terminal: Terminal, target: GatewayTarget): Promise<Details | undefined> {
  const response = await request(terminal, target, '/admin/v1/status');
  const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  return typeof body === 'object' && body !== null && 'warnings' in body ? (body as Details) : undefined;
}

function print(terminal: Terminal, target: GatewayTarget, health: Health, details?: Details): void {
  const paint = painter(terminal.stdout, terminal.env);
  const colour = health.status === 'healthy' ? 'green' : 'yellow';
  const rows = [
    ['Gateway', target.url],
    ['Status', paint(colour, health.status)],
    ['Up', formatDuration(health.uptime_seconds)],
  ];
  if (health.active_sessions !== undefined) {
    rows.push(
      ['Channels', printable(health.connected_channels?.join(', ') || 'none connected', terminal.stdout)],
      ['Sessions', `${health.active_sessions} active`],
      ['Queue', `${health.queued_messages ?? 0} waiting`],
      ['Tools', `${health.registered_tools ?? 0} registered`],
      ['Memory', `${health.memory_usage_mb ?? 0} MB`],
      ...(details ? describe(details, health.uptime_seconds) : []),
      ...(details?.warnings ?? []).map(({ severity, since, sentence }) => [
        severity === 'error' ? paint('red', 'Error') : paint('yellow', 'Warning'),
        `${printable(sentence, terminal.stdout)} (since ${formatTime(since)})`,
      ]),
      ...(details ? [] : (health.reasons ?? []).map((reason) => ['Reason', printable(reason, terminal.stdout)])),
    );
  }
  terminal.stdout.write(formatTable(rows));
  if (health.active_sessions !== undefined) return;
  const hint =
    target.token === undefined
      ? 'Set OPENCLAW_TOKEN to see more.'
      : `The gateway does not accept the token in ${target.source}.`;
  terminal.stderr.write(`${hint}\n`);
}

/** Returns the rows of what operators see, with the sums of the last hour, or since the start if that is later. */
function describe({ version, counts, store, minutes }: Details, uptimeSeconds: number): string[][] {
  const messages = minutes.reduce((sum, minute) => sum + minute.messages, 0);
  const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0);
  const slowest = Math.max(...minutes.map(({ first_block_p95_ms: p95 = 0 }) => p95));
  return [
    ['Version', version],
    ['Connections', String(counts.connections)],
    ['Turns', `${counts.running} running, ${counts.approvals} calls wait for a decision`],
    [
      uptimeSeconds < HOUR_S ? 'Since start' : 'Last hour',
      `${messages} messages, ${failed} failed, first block within ${formatMs(slowest)}`,
    ],
    ...(store?.last_backup_at === undefined ? [] : [['Last backup', formatTime(store.last_backup_at)]]),
    ...(counts.dead_letters > 0 ? [['Dead letters', String(counts.dead_letters)]] : []),
  ];
}
