import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { requestDone, requestJson } from '../http.js';
import { formatLink, describeLink } from './node-link.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, TENANT_OPTION, type GatewayTarget } from '../options.js';
import { formatTable } from '../table.js';
import { makeTable } from '../tenant-column.js';
import { printable, printJson, type Terminal } from '../terminal.js';

const PATH = '/admin/v1/nodes';
const PAGE = 200;

/** The kept definition of a command. A change of any part waits for an operator. */
interface KeptCommand {
  readonly description: string;
  readonly parameters: object;
  readonly permissions: readonly string[];
  readonly timeout_ms: number;
  readonly idempotent: boolean;
  readonly dangerous: boolean;
}

interface NodeCommand extends KeptCommand {
  readonly name: string;
  readonly offered: boolean;
  readonly waiting?: KeptCommand;
  readonly waiting_sha256?: string;
}

interface Node {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly last_seen_at?: number;
  readonly platform?: string;
  readonly version?: string;
  readonly allow?: readonly string[];
  readonly commands: readonly NodeCommand[];
  readonly jobs: readonly { readonly job_id: string; readonly name: string }[];
  readonly warning?: string;
}

interface Session {
  readonly terminal: Terminal;
  readonly target: GatewayTarget;
  readonly isJson: boolean;
}

interface Flags {
  readonly name?: string | undefined;
  readonly allow?: string | undefined;
  readonly replace?: string | undefined;
  readonly command?: string | undefined;
}

/** `openclaw nodes`: the devices that offer commands to the agents of a gateway. */
export const nodes: Command = {
  name: 'nodes',
  summary: 'devices that offer commands: pair, allow, rename, revoke',
  usage: `Usage: openclaw nodes [list] [--tenant T] [--url URL] [--json]
       openclaw nodes pair [--name NAME] [--allow GLOBS] [--replace ID] [--url URL] [--json]
       openclaw nodes allow ID GLOBS|--command NAME [--url URL] [--json]
       openclaw nodes rename ID NAME [--url URL] [--json]
       openclaw nodes revoke ID [--url URL]

list     the devices: state, when last seen, commands, platform, version, and the jobs that their events start
pair     prints a code that lets one device in: once, within 10 minutes
allow    sets what a device may offer, or prints what has changed of a command and allows exactly that
rename   changes the name; the ID, and with it the names of the tools, stays
revoke   ends a device: its connection, its tools and its key

  --name NAME     the name of the device; its ID is made of it
  --allow GLOBS   commands that it may offer: 'camera.*,system.info' (default: all that are not dangerous)
  --replace ID    the device gets the place of this one, which has lost its key
  --command NAME  a command that waits because the device says something else of it than before
  --tenant T      one tenant, for operators of all
  --url URL       where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json          print the response as JSON

Examples:
  openclaw nodes pair --name 'Kitchen Mac' --allow 'camera.*,system.info'
  openclaw nodes allow kitchen-mac --command camera.snap
`,
  async run(args, terminal) {
    const options = {
      ...GATEWAY_OPTIONS,
      ...TENANT_OPTION,
      name: { type: 'string' },
      allow: { type: 'string' },
      replace: { type: 'string' },
      command: { type: 'string' },
    } as const;
    const { values, positionals } = readOptions('nodes', args, options, true);
    const target = readTarget('nodes', values.url, terminal, values.tenant);
    const session = { terminal, target, isJson: values.json ?? false };
    const [action = 'list', ...given] = positionals;
    const wanted = ACTIONS[action];
    if (!wanted) throw new UsageError(`nodes knows ${Object.keys(ACTIONS).join(', ')}, not ${action}`, 'nodes');
    const needs = action === 'allow' && values.command !== undefined ? ['ID'] : wanted.needs;
    if (given.length < needs.length) throw new UsageError(`${action} needs ${needs.join(' and ')}`, 'nodes');
    if (given.length > needs.length) throw new UsageError(`Unexpected argument ${given[needs.length]}`, 'nodes');
    return wanted.act(session, values, given[0] ?? '', given[1] ?? '');
  },
};

interface Action {
  readonly needs: readonly string[];
  act(session: Session, flags: Flags, id: string, second: string): Promise<number>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { needs: [], act: (session) => list(session) },
  pair: { needs: [], act: (session, flags) => pair(session, flags) },
  allow: {
    needs: ['ID', 'GLOBS'],
    act: (session, { command }, id, globs) =>
      command === undefined
        ? change(session, id, 'PATCH', '', { allow: splitGlobs(globs) })
        : allowCommand(session, id, command),
  },
  rename: { needs: ['ID', 'NAME'], act: (session, _, id, name) => change(session, id, 'PATCH', '', { name }) },
  revoke: { needs: ['ID'], act: (session, _, id) => revoke(session, id) },
};

async function list(session: Session): Promise<number> {
  const items = await readNodes(session);
  const head = ['ID', 'NAME', 'STATE', 'LAST SEEN', 'COMMANDS', 'PLATFORM', 'VERSION'];
  return print(session, { items }, await makeTable(session, head, items, toRow), items.flatMap(toNotes));
}

async function readNodes(session: Session): Promise<readonly Node[]> {
  const items: Node[] = [];
  for (let path: string | undefined = `${PATH}?limit=${PAGE}`; path !== undefined;) {
    const page: { items: Node[]; next?: string } = await requestJson(session.terminal, session.target, path);
    items.push(...page.items);
    path = page.next === undefined ? undefined : `${PATH}?limit=${PAGE}&cursor=${encodeURIComponent(page.next)}`;
  }
  return items;
}

/** Allows the changed form of a command that it prints, and no other that the device may offer meanwhile. */
async function allowCommand(session: Session, id: string, name: string): Promise<number> {
  const { stderr } = session.terminal;
  const node = (await readNodes(session)).find((each) => each.id === id);
  const command = node?.commands.find((each) => each.name === name);
  const { waiting, waiting_sha256: sha256 } = command ?? {};
  if (command && waiting) stderr.write(printable(describeChange(command, waiting), stderr));
  return change(session, id, 'POST', `/commands/${encodeURIComponent(name)}/allow`, { sha256 });
}

/** Describes the changed form of a command: each part that is another one now, with what it was. */
function describeChange(before: NodeCommand, now: KeptCommand): string {
  const parts = ['description', 'parameters', 'permissions', 'timeout_ms', 'idempotent', 'dangerous'] as const;
  const lines = parts.map((part) => {
    const [old, changed] = [JSON.stringify(before[part]), JSON.stringify(now[part])];
    return old === changed ? `  ${part}: ${changed}` : `* ${part}: ${changed}\n    was: ${old}`;
  });
  return `${before.name}, * has changed\n${lines.join('\n')}\n`;
}

async function pair(session: Session, { name, allow, replace }: Flags): Promise<number> {
  const { terminal, target, isJson } = session;
  const invitation = { name, ...(allow !== undefined && { allow: splitGlobs(allow) }), replace };
  const made = await requestJson<{ code: string; expires_at: number; url?: string }>(
    terminal,
    target,
    `${PATH}/pairings`,
    {
      method: 'POST',
      body: JSON.stringify(invitation),
    },
  );
  // The address of people is not that of this command.
  const url = made.url ?? target.url;
  const link = formatLink(url, made.code);
  if (isJson) {
    printJson(terminal, { ...made, ...(link !== undefined && { link }) });
    return EXIT.done;
  }
  terminal.stdout.write(`${made.code}\n`);
  terminal.stderr.write(await describeLink(url, made, terminal.stderr.isTTY === true));
  return EXIT.done;
}

async function change(session: Session, id: string, method: string, path: string, body?: object): Promise<number> {
  const node = await requestJson<Node>(session.terminal, session.target, `${PATH}/${encodeURIComponent(id)}${path}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  return print(session, node, [toRow(node)], toNotes(node));
}

async function revoke(session: Session, id: string): Promise<number> {
  const { terminal, target } = session;
  const jobs = (await readNodes(session)).find((node) => node.id === id)?.jobs ?? [];
  await requestDone(terminal, target, `${PATH}/${encodeURIComponent(id)}`, { method: 'DELETE' });
  for (const { job_id: job, name } of jobs) terminal.stderr.write(`nothing starts the job ${job} (${name}) any more\n`);
  return EXIT.done;
}

function splitGlobs(globs: string): string[] {
  return globs.split(',').map((glob) => glob.trim());
}

function toRow({ id, name, state, last_seen_at: seen, commands, platform, version }: Node): string[] {
  const count = commands.filter(({ offered }) => offered).length;
  const time = seen === undefined ? '-' : new Date(seen).toISOString().slice(0, 19);
  return [id, name, state, time, String(count), platform ?? '-', version ?? '-'];
}

function toNotes({ id, commands, jobs, warning }: Node): string[] {
  const waiting = commands
    .filter((command) => command.waiting)
    .map(({ name }) => `${name} has changed and waits: openclaw nodes allow ${id} --command ${name}`);
  const started = jobs.map(({ job_id: job, name }) => `its events start the job ${job} (${name})`);
  return [...(warning === undefined ? [] : [warning]), ...waiting, ...started].map((note) => `${id}: ${note}\n`);
}

function print(
  { terminal, isJson }: Session,
  body: unknown,
  table: readonly (readonly string[])[],
  notes: readonly string[],
): number {
  if (isJson) printJson(terminal, body);
  else terminal.stdout.write(printable(formatTable(table) + notes.join(''), terminal.stdout));
  return EXIT.done;
}
