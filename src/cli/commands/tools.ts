import { AdminSession, cut } from '../admin-session.js';
import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget } from '../options.js';

interface Tool {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly needs_approval: boolean;
  readonly enabled: boolean;
}

interface EndedCall {
  readonly ok: boolean;
  readonly content?: unknown;
  readonly message?: string;
}

/** A person may have to approve a call. In milliseconds. */
const MAX_CALL_MS = 3_600_000;

/** What each action changes. */
const CHANGES = {
  enable: { enabled: true },
  disable: { enabled: false },
  ask: { needs_approval: true },
  trust: { needs_approval: false },
} as const;

const HEAD = ['TOOL', 'ENABLED', 'APPROVAL', 'PERMISSIONS', 'DESCRIPTION'];

/** `openclaw tools`: the tools of a gateway. */
export const tools: Command = {
  name: 'tools',
  summary: 'tools: list, call, enable, disable, ask, trust',
  usage: `Usage: openclaw tools [list] [--limit N] [--url URL] [--json]
       openclaw tools call NAME [PARAMETERS] [--session ID] [--url URL] [--json]
       openclaw tools enable|disable|ask|trust NAME [--url URL] [--json]

list     the tools, by name
call     calls one with PARAMETERS, a JSON object, and prints its result; one that needs an approval waits for it
enable   lets agents call a tool that is disabled
disable  lets no agent call it
ask      has a person decide on each call
trust    lets calls run without a decision, unless the tool itself requires one

  --limit N     at most N (default: 100)
  --session ID  the session in which it is called, with its permissions (default: one of your own)
  --url URL     where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json        print the response as JSON

Examples:
  openclaw tools ask http.fetch
  openclaw tools call time.now '{"time_zone":"Europe/Paris"}'
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('tools', args, { ...LIST_OPTIONS, session: { type: 'string' } }, true);
    const session = new AdminSession(terminal, readTarget('tools', values.url, terminal), values.json);
    const [action = 'list', name, ...rest] = positionals;
    if (action === 'list') {
      if (name !== undefined) throw new UsageError(`Unexpected argument ${name}`, 'tools');
      return session.printList(await session.list<Tool>('tools', {}, readLimit('tools', values.limit)), HEAD, toRow);
    }
    if (action === 'call') return call(session, name, rest, values.session);
    const change = Object.entries(CHANGES).find(([known]) => known === action)?.[1];
    if (!change)
      throw new UsageError(`tools knows list, call, ${Object.keys(CHANGES).join(', ')}, not ${action}`, 'tools');
    if (name === undefined || rest.length > 0) throw new UsageError(`${action} needs the NAME of a tool`, 'tools');
    const init = { method: 'PATCH', body: JSON.stringify(change) };
    const tool = await session.ask<Tool>(`tools/${encodeURIComponent(name)}`, init);
    return session.print(tool, [HEAD, toRow(tool)]);
  },
};

/** Calls a tool. Exit code 1: it has failed. */
async function call(
  session: AdminSession,
  name: string | undefined,
  [parameters = '{}', extra]: readonly string[],
  sessionId: string | undefined,
): Promise<number> {
  if (name === undefined) throw new UsageError('call needs the NAME of a tool', 'tools');
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'tools');
  const body = JSON.stringify({ parameters: readParameters(parameters), session_id: sessionId });
  const path = `tools/${encodeURIComponent(name)}/call`;
  const ended = await session.ask<EndedCall>(path, { method: 'POST', body }, MAX_CALL_MS);
  if (!ended.ok && !session.isJson) throw new Error(ended.message);
  const { content } = ended;
  session.print(ended, [[typeof content === 'string' ? content : JSON.stringify(content, null, 2)]]);
  return ended.ok ? EXIT.done : EXIT.failed;
}

function readParameters(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('The PARAMETERS are not JSON', 'tools');
  }
}

function toRow({ name, description, permissions, needs_approval: asks, enabled }: Tool): readonly string[] {
  return [name, enabled ? 'yes' : 'no', asks ? 'needed' : '-', permissions.join(', ') || '-', cut(description)];
}
