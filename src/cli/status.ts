import type { Command } from './command.js';
import { EXIT } from './faults.js';
import { request } from './http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from './options.js';
import { formatDuration, formatTable } from './table.js';
import { painter, printJson, type Terminal } from './terminal.js';

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

/** `openclaw status`: shows the state of a gateway. */
export const status: Command = {
  name: 'status',
  summary: 'state of the gateway: health, sessions, queue, tools',
  usage: `Usage: openclaw status [--url URL] [--json]

Shows the state of a running gateway.

  --url URL  where it is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Without a credential in OPENCLAW_TOKEN a protected gateway returns only its status.
`,
  async run(args, terminal) {
    const { values } = readOptions('status', args, GATEWAY_OPTIONS);
    const target = readTarget('status', values.url, terminal);
    const health = await readHealth(terminal, target);
    if (values.json) printJson(terminal, health);
    else print(terminal, target, health);
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

function print(terminal: Terminal, target: GatewayTarget, health: Health): void {
  const paint = painter(terminal.stdout, terminal.env);
  const colour = health.status === 'healthy' ? 'green' : 'yellow';
  const rows = [
    ['Gateway', target.url],
    ['Status', paint(colour, health.status)],
    ['Up', formatDuration(health.uptime_seconds)],
  ];
  if (health.active_sessions !== undefined) {
    rows.push(
      ['Channels', health.connected_channels?.join(', ') || 'none connected'],
      ['Sessions', `${health.active_sessions} active`],
      ['Queue', `${health.queued_messages ?? 0} waiting`],
      ['Tools', `${health.registered_tools ?? 0} registered`],
      ['Memory', `${health.memory_usage_mb ?? 0} MB`],
      ...(health.reasons ?? []).map((reason) => ['Reason', reason]),
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
