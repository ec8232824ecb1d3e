import { AdminSession, cut } from './admin-session.js';
import type { Command } from './command.js';
import { UsageError } from './faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget } from './options.js';

interface Tool {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly needs_approval: boolean;
  readonly enabled: boolean;
}

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
  summary: 'tools: list, enable, disable, ask, trust',
  usage: `Usage: openclaw tools [list] [--limit N] [--url URL] [--json]
       openclaw tools enable|disable|ask|trust NAME [--url URL] [--json]

list     the tools, by name
enable   lets agents call a tool that is disabled
disable  lets no agent call it
ask      has a person decide on each call
trust    lets calls run without a decision, unless the tool itself requires one

  --limit N  at most N (default: 100)
  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw tools
  openclaw tools ask http.fetch
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('tools', args, LIST_OPTIONS, true);
    const session = new AdminSession(terminal, readTarget('tools', values.url, terminal), values.json);
    const [action = 'list', name, ...rest] = positionals;
    if (action === 'list') {
      if (name !== undefined) throw new UsageError(`Unexpected argument ${name}`, 'tools');
      return session.printList(await session.list<Tool>('tools', {}, readLimit('tools', values.limit)), HEAD, toRow);
    }
    const change = Object.entries(CHANGES).find(([known]) => known === action)?.[1];
    if (!change) throw new UsageError(`tools knows list, ${Object.keys(CHANGES).join(', ')}, not ${action}`, 'tools');
    if (name === undefined || rest.length > 0) throw new UsageError(`${action} needs the NAME of a tool`, 'tools');
    const init = { method: 'PATCH', body: JSON.stringify(change) };
    const tool = await session.ask<Tool>(`tools/${encodeURIComponent(name)}`, init);
    return session.print(tool, [HEAD, toRow(tool)]);
  },
};

function toRow({ name, description, permissions, needs_approval: asks, enabled }: Tool): readonly string[] {
  return [name, enabled ? 'yes' : 'no', asks ? 'needed' : '-', permissions.join(', ') || '-', cut(description)];
}
