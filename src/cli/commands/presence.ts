import { AdminSession, formatTime } from '../admin-session.js';
import type { Command } from '../command.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';

interface Presence {
  readonly channel: string;
  readonly user_id: string;
  readonly status: string;
  readonly last_seen: number;
}

/** `openclaw presence`: who is there. */
export const presence: Command = {
  name: 'presence',
  summary: 'who is online, types or is idle',
  usage: `Usage: openclaw presence [--tenant T] [--limit N] [--url URL] [--json]

Lists the people of whom channels say that they are there, by channel.

  --tenant T  one tenant, for operators of all
  --limit N   at most N (default: 100)
  --url URL   where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json      print the response as JSON

Examples:
  openclaw presence
  openclaw presence --limit 500 --json
`,
  async run(args, terminal) {
    const { values } = readOptions('presence', args, { ...LIST_OPTIONS, ...TENANT_OPTION });
    const session = new AdminSession(
      terminal,
      readTarget('presence', values.url, terminal, values.tenant),
      values.json,
    );
    const page = await session.list<Presence>('presence', {}, readLimit('presence', values.limit));
    return session.printList(page, ['CHANNEL', 'PERSON', 'STATUS', 'LAST SEEN'], (person) => [
      person.channel,
      person.user_id,
      person.status,
      formatTime(person.last_seen),
    ]);
  },
};
