import type { Command } from './command.js';
import { EXIT, UsageError } from './faults.js';
import { requestDone, requestJson } from './http.js';
import { GATEWAY_OPTIONS, readOptions, readTarget, type GatewayTarget } from './options.js';
import { formatTable } from './table.js';
import { printable, printJson, type Terminal } from './terminal.js';

/** Maximum length of a text in the table. */
const MAX_CELL_LENGTH = 60;
const PATH = '/admin/v1/dead-letters';
const PAGE = 200;

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
  usage: `Usage: openclaw dead-letters [list] [--channel NAME] [--url URL] [--json]
       openclaw dead-letters retry|discard ID... [--url URL]

list     the messages that could not be delivered, newest first, with the reasons
retry    sends them again, each as a message of its own
discard  deletes them

  --channel NAME  only those of one channel
  --url URL       where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json          print the response as JSON

openclaw channels dead-letters does the same.
`,
  run: (args, terminal) => runDeadLetters('dead-letters', args, terminal),
};

/** Runs the command. @param command whose usage an error shows */
export async function runDeadLetters(command: string, args: readonly string[], terminal: Terminal): Promise<number> {
  const options = { ...GATEWAY_OPTIONS, channel: { type: 'string' } } as const;
  const { values, positionals } = readOptions(command, args, options, true);
  const target = readTarget(command, values.url, terminal);
  const [action = 'list', ...ids] = positionals;
  if (action === 'list') {
    if (ids[0] !== undefined) throw new UsageError(`Unexpected argument ${ids[0]}`, command);
    return list(terminal, target, values.channel, values.json ?? false);
  }
  if (action !== 'retry' && action !== 'discard')
    throw new UsageError(`dead-letters knows list, retry and discard, not ${action}`, command);
  if (ids.length === 0) throw new UsageError(`${action} needs the ID of a dead letter`, command);
  const odd = ids.find((id) => !/^[1-9]\d{0,15}$/.test(id));
  if (odd !== undefined) throw new UsageError(`${odd} is not the ID of a dead letter`, command);
  for (const id of ids) await change(terminal, target, action, id);
  return EXIT.done;
}

async function list(
  terminal: Terminal,
  target: GatewayTarget,
  channel: string | undefined,
  isJson: boolean,
): Promise<number> {
  const items: DeadLetter[] = [];
  const query = `limit=${PAGE}${channel === undefined ? '' : `&channel=${encodeURIComponent(channel)}`}`;
  for (let path: string | undefined = `${PATH}?${query}`; path !== undefined;) {
    const page: { items: DeadLetter[]; next?: string } = await requestJson(terminal, target, path);
    items.push(...page.items);
    path = page.next === undefined ? undefined : `${PATH}?${query}&cursor=${page.next}`;
  }
  const rows = items.map((letter) => [
    String(letter.id),
    letter.channel,
    letter.chat,
    new Date(letter.created_at).toISOString().slice(0, 19),
    cut(letter.reason),
    cut(letter.text),
  ]);
  const { stdout } = terminal;
  if (isJson) printJson(terminal, { items });
  else stdout.write(printable(formatTable([['ID', 'CHANNEL', 'CHAT', 'WRITTEN', 'REASON', 'TEXT'], ...rows]), stdout));
  return EXIT.done;
}

async function change(
  terminal: Terminal,
  target: GatewayTarget,
  action: 'retry' | 'discard',
  id: string,
): Promise<void> {
  if (action === 'retry') await requestDone(terminal, target, `${PATH}/${id}/retry`, { method: 'POST' });
  else await requestDone(terminal, target, `${PATH}/${id}`, { method: 'DELETE' });
  terminal.stdout.write(`${id} ${action === 'retry' ? 'is sent again' : 'deleted'}\n`);
}

/** Returns the beginning of a long text, in one line; --json has the whole. */
function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > MAX_CELL_LENGTH ? `${line.slice(0, MAX_CELL_LENGTH - 1)}…` : line;
}
