import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { checkChoice, LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';
import { AdminSession, cut, formatTime } from '../admin-session.js';
import { saveExport } from '../save-export.js';

interface Session {
  readonly id: string;
  readonly mode: string;
  readonly channel: string;
  readonly agent: string;
  readonly key: readonly string[];
  readonly created_at: number;
  readonly last_active: number;
  readonly head_seq: number;
  readonly participants?: readonly string[];
  readonly tool_permissions: readonly string[];
}

interface Message {
  readonly message_ref: string;
  readonly sender: string;
  readonly content: string;
  readonly status: string;
  readonly received_at: number;
  readonly blocks: readonly { readonly content: string }[];
}

const OPTIONS = {
  ...LIST_OPTIONS,
  ...TENANT_OPTION,
  channel: { type: 'string' },
  mode: { type: 'string' },
  participant: { type: 'string' },
  search: { type: 'string' },
  sort: { type: 'string' },
  output: { type: 'string' },
} as const;

const ACTIONS = ['list', 'show', 'messages', 'context', 'send', 'reset', 'export', 'delete'] as const;
type Action = (typeof ACTIONS)[number];

/** `openclaw sessions`: the conversations of a gateway. */
export const sessions: Command = {
  name: 'sessions',
  summary: 'conversations: list, show, messages, context, send, reset, export, delete',
  usage: `Usage: openclaw sessions [list] [--channel NAME] [--mode M] [--participant S] [--search TEXT] [--sort last_active]
                         [--tenant T] [--limit N] [--url URL] [--json]
       openclaw sessions show|messages|context ID [--limit N] [--url URL] [--json]
       openclaw sessions send ID TEXT [--url URL] [--json]
       openclaw sessions reset|delete ID [--url URL] [--json]
       openclaw sessions export ID [--output FILE] [--url URL]

list      conversations, the newest first; --sort last_active: the one with the newest message first
show      one of them
messages  its newest messages with their replies
context   what the agent would read of it now
send      sends a message to it, as an operator
reset     starts a new context: the agent forgets what was said, the history stays
export    writes it as JSON, a record in each line, and checks that it is complete
delete    deletes it with everything in it

  --tenant T     one tenant, for operators of all
  --limit N      at most N (default: 100)
  --output FILE  where the export goes (default: ID.jsonl)
  --url URL      where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json         print the response as JSON

Examples:
  openclaw sessions --channel telegram --sort last_active
  openclaw sessions export s_5b1f0c9a7d2e4f61 --output ann.jsonl
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('sessions', args, OPTIONS, true);
    const session = new AdminSession(
      terminal,
      readTarget('sessions', values.url, terminal, values.tenant),
      values.json,
    );
    const [name = 'list', id, ...texts] = positionals;
    const action = ACTIONS.find((known) => known === name);
    if (!action) throw new UsageError(`sessions knows ${ACTIONS.join(', ')}, not ${name}`, 'sessions');
    const limit = readLimit('sessions', values.limit);
    if (action === 'list') {
      if (id !== undefined) throw new UsageError(`Unexpected argument ${id}`, 'sessions');
      const { channel, mode, participant, search: q, sort } = values;
      checkChoice('sessions', '--mode', mode, ['main', 'group', 'queue']);
      checkChoice('sessions', '--sort', sort, ['created_at', 'last_active']);
      return list(session, { channel, mode, participant, q, sort }, limit);
    }
    if (id === undefined) throw new UsageError(`${action} needs the ID of a session`, 'sessions');
    if ((action === 'send') !== (texts.length === 1))
      throw new UsageError(action === 'send' ? 'send needs one TEXT' : `Unexpected argument ${texts[0]}`, 'sessions');
    return act(session, action, id, { text: texts[0] ?? '', limit, output: values.output ?? `${id}.jsonl` });
  },
};

async function act(
  session: AdminSession,
  action: Exclude<Action, 'list'>,
  id: string,
  { text, limit, output }: { readonly text: string; readonly limit: number | undefined; readonly output: string },
): Promise<number> {
  const path = `sessions/${encodeURIComponent(id)}`;
  switch (action) {
    case 'show':
      return show(session, path);
    case 'messages':
      return printMessages(session, await session.list<Message>(`${path}/messages`, {}, limit));
    case 'context':
      return printMessages(session, await session.ask<{ items: Message[] }>(`${path}/context`));
    case 'send': {
      const init = { method: 'POST', body: JSON.stringify({ content: text }) };
      const accepted = await session.ask<{ message_ref: string; status: string }>(`${path}/messages`, init);
      return session.print(accepted, [[`${accepted.message_ref} ${accepted.status}`]]);
    }
    case 'reset':
      await session.do(`${path}/reset`, { method: 'POST' });
      return session.confirm(`${id} has a new context`, { id, state: 'reset' });
    case 'export':
      return saveExport(session, `${path}/export`, output);
    case 'delete':
      await session.do(path, { method: 'DELETE' });
      return session.confirm(`${id} deleted`, { id, state: 'deleted' });
  }
}

async function list(
  session: AdminSession,
  query: Readonly<Record<string, string | undefined>>,
  limit: number | undefined,
): Promise<number> {
  const page = await session.list<Session>('sessions', query, limit);
  const head = ['SESSION', 'MODE', 'CHANNEL', 'AGENT', 'KEY', 'LAST ACTIVE'];
  return session.printList(page, head, (item) => [
    item.id,
    item.mode,
    item.channel,
    item.agent,
    cut(item.key.join(' / '), 40),
    formatTime(item.last_active),
  ]);
}

async function show(session: AdminSession, path: string): Promise<number> {
  const item = await session.ask<Session>(path);
  return session.print(item, [
    ['session', item.id],
    ['mode', item.mode],
    ['channel', item.channel],
    ['agent', item.agent],
    ['key', item.key.join(' / ')],
    ['participants', cut((item.participants ?? []).join(', '))],
    ['permissions', item.tool_permissions.join(', ') || '-'],
    ['created', formatTime(item.created_at)],
    ['last active', formatTime(item.last_active)],
    ['frames', String(item.head_seq)],
  ]);
}

function printMessages(session: AdminSession, page: { readonly items: readonly Message[]; readonly next?: string }) {
  return session.printList(page, ['MESSAGE', 'RECEIVED', 'SENDER', 'STATUS', 'TEXT', 'REPLY'], (message) => [
    message.message_ref,
    formatTime(message.received_at),
    message.sender,
    message.status,
    cut(message.content, 40),
    cut(message.blocks.map(({ content }) => content).join(' '), 40),
  ]);
}
