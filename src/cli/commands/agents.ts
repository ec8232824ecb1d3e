import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { requestJson } from '../http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { printable, printJson, type Terminal } from '../terminal.js';

/** The options of `test`, and the fields of the request that they set. */
const FIELDS = {
  channel: 'channel',
  account: 'account',
  sender: 'sender',
  group: 'group_id',
  thread: 'thread_id',
  queue: 'queue',
  principal: 'principal',
  tenant: 'tenant',
} as const;
const FIELD_OPTIONS = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, { type: 'string' } as const])) as {
  readonly [F in keyof typeof FIELDS]: { readonly type: 'string' };
};

/** Maximum length of a value in the table of an agent. */
const MAX_CELL_LENGTH = 60;

interface Agent {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly default?: boolean;
  readonly model?: string;
  readonly settings?: Readonly<Record<string, { value: unknown; source: string; key?: string }>>;
  readonly tools?: readonly string[];
}

interface Test {
  readonly agent: string;
  readonly session_id: string;
  readonly exists: boolean;
  readonly because: { readonly binding?: number };
  readonly candidates: readonly {
    readonly index: number;
    readonly agent: string;
    readonly matched: readonly string[];
  }[];
}

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly isJson: boolean;
}

/** `openclaw agents`: the agents of a gateway, and which of them answers. */
export const agents: Command = {
  name: 'agents',
  summary: 'agents, and which of them answers a message',
  usage: `Usage: openclaw agents list [--url URL] [--json]
       openclaw agents show ID [--url URL] [--json]
       openclaw agents test --channel C [--account A] [--sender S] [--group G] [--thread T] [--queue Q] [--principal P]
                            [--tenant T] [--url URL] [--json]

"list" prints the agents of your tenant, "show" the settings of one with the source of each, "test" which agent would
answer a message with these fields, and which bindings match it. Nothing is stored.

  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw agents show ops
  openclaw agents test --channel slack --group C024BE91L
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('agents', args, { ...GATEWAY_OPTIONS, ...FIELD_OPTIONS }, true);
    const target = readTarget('agents', values.url, terminal);
    const session = { terminal, target, isJson: values.json ?? false };
    const [action, id, ...rest] = positionals;
    const extra = action === 'show' ? rest[0] : id;
    if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'agents');
    const fields = Object.entries(FIELDS).flatMap(([option, field]) => {
      const value = values[option as keyof typeof FIELDS];
      return value === undefined ? [] : [[field, value] as const];
    });
    if (fields.length > 0 && action !== 'test') throw new UsageError('Fields of a message are for test', 'agents');
    switch (action) {
      case undefined:
      case 'list':
        return list(session);
      case 'show':
        if (id === undefined) throw new UsageError('show needs the ID of an agent', 'agents');
        return show(session, id);
      case 'test':
        if (values.channel === undefined) throw new UsageError('test needs --channel', 'agents');
        return test(session, Object.fromEntries(fields));
      default:
        throw new UsageError(`agents knows list, show and test, not ${action}`, 'agents');
    }
  },
};

async function list(session: Session): Promise<number> {
  const items: Agent[] = [];
  for (let path: string | undefined = '/admin/v1/agents?limit=200'; path !== undefined;) {
    const page: { items: Agent[]; next?: string } = await ask(session, path);
    items.push(...page.items);
    path = page.next === undefined ? undefined : `/admin/v1/agents?limit=200&cursor=${page.next}`;
  }
  const rows = items.map(({ id, name, model = '', description = '', default: isDefault }) => [
    isDefault ? `${id} (default)` : id,
    name,
    model,
    description,
  ]);
  return print(session, { items }, [['AGENT', 'NAME', 'MODEL', 'DESCRIPTION'], ...rows]);
}

async function show(session: Session, id: string): Promise<number> {
  const agent = await ask<Agent>(session, `/admin/v1/agents/${encodeURIComponent(id)}`);
  const rows = Object.entries(agent.settings ?? {}).map(([field, { value, source, key = '' }]) => [
    field,
    cut(value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value)),
    source,
    key,
  ]);
  const tools = agent.tools
    ? [
        ['', ''],
        ['tools', agent.tools.join(', ') || '-'],
      ]
    : [];
  return print(session, agent, [['SETTING', 'VALUE', 'SOURCE', 'SET BY'], ...rows, ...tools]);
}

async function test(session: Session, message: Readonly<Record<string, string>>): Promise<number> {
  const init = { method: 'POST', body: JSON.stringify(message) };
  const result = await ask<Test>(session, '/admin/v1/bindings/test', init);
  const { agent, session_id: id, exists, because, candidates } = result;
  const reason =
    because.binding === undefined ? 'the default agent: no binding matches' : `bindings[${because.binding}]`;
  return print(session, result, [
    ['agent', agent],
    ['because', reason],
    ['session', `${id}${exists ? '' : ' (would be made)'}`],
    ...candidates.map(({ index, agent: other, matched }) => [`bindings[${index}]`, `${other}: ${matched.join(', ')}`]),
  ]);
}

/** Returns the beginning of a long value, such as a prompt, in one line; --json has the whole. */
function cut(value: string): string {
  const line = value.replaceAll(/\s+/g, ' ');
  return line.length > MAX_CELL_LENGTH ? `${line.slice(0, MAX_CELL_LENGTH - 1)}…` : line;
}

function ask<T>({ terminal, target }: Session, path: string, init: RequestInit = {}): Promise<T> {
  return requestJson<T>(terminal, target, path, init);
}

function print({ terminal, isJson }: Session, body: unknown, table: readonly string[][]): number {
  const { stdout } = terminal;
  if (isJson) printJson(terminal, body);
  else stdout.write(printable(formatTable(table), stdout));
  return EXIT.done;
}
