import { AdminSession, cut, formatTime } from '../admin-session.js';
import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { checkChoice, LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';
import type { Terminal } from '../terminal.js';

interface DeadLetter {
  readonly id: number;
  readonly channel: string;
  readonly chat: string;
  readonly text: string;
  readonly reason: string;
  readonly created_at: number;
}

/** `openclaw dead-letters`: the messages that did not reach their chats. */
export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'messages that did not reach their chats: list, retry, discard',
  usage: `Usage: openclaw dead-letters [list] [--channel NAME] [--kind channel] [--tenant T] [--limit N] [--url URL] [--json]
       openclaw dead-letters retry|discard ID... [--url URL] [--json]

list     the messages that could not be delivered, newest first, with the reasons
retry    sends them again, each as a message of its own
discard  deletes them

  --channel NAME  only those of one channel
  --kind KIND     only those of one kind; so far all are of kind channel
  --tenant T      one tenant, for operators of all
  --limit N       at most N (default: 100)
  --url URL       where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json          print the response as JSON

openclaw channels dead-letters does the same.

Examples:
  openclaw dead-letters --channel telegram
  openclaw dead-letters retry 17 18
`,
  run: (args, terminal) => runDeadLetters('dead-letters', args, terminal),
};

/** Runs the command. @param command whose usage an error shows */
export async function runDeadLetters(command: string, args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readOptions(
    command,
    args,
    { ...LIST_OPTIONS, ...TENANT_OPTION, channel: { type: 'string' }, kind: { type: 'string' } },
    true,
  );
  const session = new AdminSession(terminal, readTarget(command, values.url, terminal, values.tenant), values.json);
  const [action = 'list', ...ids] = positionals;
  if (action === 'list') {
    if (ids[0] !== undefined) throw new UsageError(`Unexpected argument ${ids[0]}`, command);
    const { channel, kind, limit } = values;
    checkChoice(command, '--kind', kind, ['channel']);
    return list(session, { channel, kind }, readLimit(command, limit));
  }
  if (action !== 'retry' && action !== 'discard')
    throw new UsageError(`dead-letters knows list, retry and discard, not ${action}`, command);
  if (ids.length === 0) throw new UsageError(`${action} needs the ID of a dead letter`, command);
  const odd = ids.find((id) => !/^[1-9]\d{0,15}$/.test(id));
  if (odd !== undefined) throw new UsageError(`${odd} is not the ID of a dead letter`, command);
  for (const id of ids) await change(session, action, id);
  return EXIT.done;
}

async function list(
  session: AdminSession,
  filters: Readonly<Record<'channel' | 'kind', string | undefined>>,
  limit: number | undefined,
): Promise<number> {
  const page = await session.list<DeadLetter>('dead-letters', filters, limit);
  return session.printList(page, ['ID', 'CHANNEL', 'CHAT', 'WRITTEN', 'REASON', 'TEXT'], (letter) => [
    String(letter.id),
    letter.channel,
    letter.chat,
    formatTime(letter.created_at),
    cut(letter.reason),
    cut(letter.text),
  ]);
}

async function change(session: AdminSession, action: 'retry' | 'discard', id: string): Promise<void> {
  if (action === 'retry') await session.do(`dead-letters/${id}/retry`, { method: 'POST' });
  else await session.do(`dead-letters/${id}`, { method: 'DELETE' });
  const state = action === 'retry' ? 'sent again' : 'deleted';
  session.confirm(`${id} ${action === 'retry' ? 'is sent again' : 'deleted'}`, { id: Number(id), state });
}
