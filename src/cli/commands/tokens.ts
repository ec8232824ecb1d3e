import { encodeQuery } from '../admin-session.js';
import { SystemClock } from '../../core/time/clock.js';
import type { Command } from '../command.js';
import { readDuration } from '../durations.js';
import { EXIT, UsageError } from '../faults.js';
import { requestDone, requestJson } from '../http.js';
import {
  checkChoice,
  GATEWAY_OPTIONS,
  readOptions,
  readTarget,
  TENANT_OPTION,
  type GatewayTarget,
} from '../options.js';
import { formatTable } from '../table.js';
import { makeTable } from '../tenant-column.js';
import { printable, printJson, type Terminal } from '../terminal.js';

const PATH = '/admin/v1/tokens';
const PAGE = 200;

interface Token {
  readonly id: string;
  readonly tenant: string;
  readonly principal: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at?: number;
}

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly isJson: boolean;
}

/** `openclaw tokens`: credentials that are made at run time. */
export const tokens: Command = {
  name: 'tokens',
  summary: 'credentials made at run time: create, list, revoke',
  usage: `Usage: openclaw tokens [list] [--tenant T] [--url URL] [--json]
       openclaw tokens create --principal P --role R [--scopes A,B] [--channels A,B] [--sender S] [--expires 30d]
                              [--tenant T] [--url URL] [--json]
       openclaw tokens revoke ID... [--tenant T] [--url URL]

list     the tokens, the oldest first; their secrets are not known to the gateway
create   makes a token and prints it, this once
revoke   ends tokens, and the connections that were opened with them

  --principal P   whom it speaks for
  --role R        operator, channel, user or node
  --scopes A,B    what it may do (default: all of its role)
  --channels A,B  the channels that it is bound to
  --sender S      the one sender of role user (default: the principal)
  --expires 30d   when it ends: a duration from now on (default: never)
  --tenant T      one tenant, for operators of all
  --url URL       where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json          print the response as JSON

Examples:
  openclaw tokens create --principal ci --role operator --scopes admin:read --expires 30d
  openclaw tokens revoke t0mg3k9x2a1b2c3d4
`,
  async run(args, terminal) {
    const text = { type: 'string' } as const;
    const wish = { principal: text, role: text, scopes: text, channels: text, sender: text, expires: text };
    const { values, positionals } = readOptions(
      'tokens',
      args,
      { ...GATEWAY_OPTIONS, ...TENANT_OPTION, ...wish },
      true,
    );
    const { url, json: isJson = false, tenant, ...flags } = values;
    const session = { terminal, target: readTarget('tokens', url, terminal, tenant), isJson };
    const [action = 'list', ...ids] = positionals;
    if (action === 'revoke') return revoke(session, ids);
    if (action !== 'list' && action !== 'create')
      throw new UsageError(`tokens knows list, create and revoke, not ${action}`, 'tokens');
    if (ids[0] !== undefined) throw new UsageError(`Unexpected argument ${ids[0]}`, 'tokens');
    return action === 'list' ? list(session) : create(session, flags);
  },
};

async function list(session: Session): Promise<number> {
  const { terminal, target, isJson } = session;
  const items: Token[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const query = encodeQuery({ limit: String(PAGE), cursor: cursor || undefined });
    const page: { items: Token[]; next?: string } = await requestJson(terminal, target, `${PATH}?${query}`);
    items.push(...page.items);
    cursor = page.next;
  }
  if (isJson) printJson(terminal, { items });
  else {
    const head = ['ID', 'PRINCIPAL', 'ROLE', 'EXPIRES', 'MADE BY', 'SCOPES'];
    terminal.stdout.write(printable(formatTable(await makeTable(session, head, items, toRow)), terminal.stdout));
  }
  return EXIT.done;
}

interface Flags {
  readonly principal?: string | undefined;
  readonly role?: string | undefined;
  readonly scopes?: string | undefined;
  readonly channels?: string | undefined;
  readonly sender?: string | undefined;
  readonly expires?: string | undefined;
}

async function create({ terminal, target, isJson }: Session, flags: Flags): Promise<number> {
  const { principal, role, scopes, channels, sender, expires } = flags;
  if (principal === undefined || role === undefined)
    throw new UsageError('create needs --principal and --role', 'tokens');
  checkChoice('tokens', '--role', role, ['operator', 'channel', 'user', 'node']);
  const lifetimeMs = readDuration('tokens', '--expires', expires);
  const wish = {
    ...{ principal, role, tenant: target.tenant, sender },
    scopes: splitNames(scopes),
    channels: splitNames(channels),
    expires_at: lifetimeMs === undefined ? undefined : new SystemClock().now() + lifetimeMs,
  };
  const made = await requestJson<Token & { token: string }>(terminal, target, PATH, {
    method: 'POST',
    body: JSON.stringify(wish),
  });
  if (isJson) printJson(terminal, made);
  else {
    terminal.stdout.write(`${made.token}\n`);
    const end = made.expires_at === undefined ? 'it does not expire' : `it ends ${describeTime(made.expires_at)}`;
    terminal.stderr.write(
      `This is token ${made.id}; ${end}. It is shown this once: keep it where only its user reads it.\n`,
    );
  }
  return EXIT.done;
}

async function revoke({ terminal, target }: Session, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) throw new UsageError('revoke needs the ID of a token', 'tokens');
  for (const id of ids) await requestDone(terminal, target, `${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
  return EXIT.done;
}

function splitNames(names: string | undefined): string[] | undefined {
  return names?.split(',').map((name) => name.trim());
}

function toRow({ id, principal, role, expires_at: end, created_by: maker, scopes }: Token): string[] {
  return [id, principal, role, end === undefined ? 'never' : describeTime(end), maker, scopes.join(' ')];
}

const describeTime = (at: number) => new Date(at).toISOString().slice(0, 16);
