import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';
import { AdminSession, formatTime } from '../admin-session.js';
import { saveExport } from '../save-export.js';

interface Person {
  readonly channel: string;
  readonly sender: string;
  readonly name?: string;
  readonly session_id: string;
  readonly last_active: number;
}

const OPTIONS = {
  ...LIST_OPTIONS,
  ...TENANT_OPTION,
  channel: { type: 'string' },
  search: { type: 'string' },
  output: { type: 'string' },
} as const;

/** `openclaw people`: those who write to the gateway. */
export const people: Command = {
  name: 'people',
  summary: 'senders of messages: list, export, erase',
  usage: `Usage: openclaw people [list] [--channel NAME] [--search TEXT] [--tenant T] [--limit N] [--url URL] [--json]
       openclaw people export CHANNEL SENDER [--output FILE] [--url URL]
       openclaw people erase CHANNEL SENDER [--url URL] [--json]

list    people by their IDs, once for each channel
export  writes what one has said, with the replies, as JSON, a record in each line, and checks that it is complete
erase   erases the texts, files and memories of one; it cannot be undone

  --tenant T     one tenant, for operators of all
  --limit N      at most N (default: 100)
  --output FILE  where the export goes (default: CHANNEL-SENDER.jsonl)
  --url URL      where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json         print the response as JSON

Examples:
  openclaw people --channel telegram --search 500
  openclaw people erase telegram 5001
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('people', args, OPTIONS, true);
    const session = new AdminSession(terminal, readTarget('people', values.url, terminal, values.tenant), values.json);
    const [action = 'list', channel, sender, ...rest] = positionals;
    if (action === 'list') {
      if (channel !== undefined) throw new UsageError(`Unexpected argument ${channel}`, 'people');
      const query = { channel: values.channel, q: values.search };
      const page = await session.list<Person>('people', query, readLimit('people', values.limit));
      return session.printList(page, ['CHANNEL', 'PERSON', 'NAME', 'SESSION', 'LAST ACTIVE'], (person) => [
        person.channel,
        person.sender,
        person.name ?? '',
        person.session_id,
        formatTime(person.last_active),
      ]);
    }
    if (action !== 'export' && action !== 'erase')
      throw new UsageError(`people knows list, export and erase, not ${action}`, 'people');
    if (channel === undefined || sender === undefined || rest.length > 0)
      throw new UsageError(`${action} needs a CHANNEL and a SENDER`, 'people');
    const path = `people/${encodeURIComponent(channel)}/${encodeURIComponent(sender)}`;
    if (action === 'export')
      return saveExport(session, `${path}/export`, values.output ?? `${channel}-${sender}.jsonl`);
    const erased = await session.ask<Readonly<Record<string, number>>>(path, { method: 'DELETE' });
    return session.print(
      erased,
      Object.entries(erased).map(([name, count]) => [name, String(count)]),
    );
  },
};
