import type { Command } from '../command.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';
import { AdminSession, formatMs } from '../admin-session.js';

interface Waiting {
  readonly message_ref: string;
  readonly session_id: string;
  readonly channel: string;
  readonly sender: string;
  readonly priority: number;
  readonly position: number;
  readonly age_ms: number;
}

/** `openclaw queue`: the messages that wait. */
export const queue: Command = {
  name: 'queue',
  summary: 'messages that wait to be answered',
  usage: `Usage: openclaw queue [--session ID] [--tenant T] [--limit N] [--url URL] [--json]

Lists the messages that wait, oldest first. openclaw messages cancel REF cancels one.

  --session ID  only those of one session
  --tenant T    one tenant, for operators of all
  --limit N     at most N (default: 100)
  --url URL     where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json        print the response as JSON

Examples:
  openclaw queue
  openclaw queue --session s_5b1f0c9a7d2e4f61 --json
`,
  async run(args, terminal) {
    const { values } = readOptions('queue', args, { ...LIST_OPTIONS, ...TENANT_OPTION, session: { type: 'string' } });
    const session = new AdminSession(terminal, readTarget('queue', values.url, terminal, values.tenant), values.json);
    const query = { session_id: values.session };
    const page = await session.list<Waiting>('queue', query, readLimit('queue', values.limit));
    const head = ['MESSAGE', 'SESSION', 'CHANNEL', 'SENDER', 'PRIORITY', 'AHEAD', 'WAITS'];
    return session.printList(page, head, (item) => [
      item.message_ref,
      item.session_id,
      item.channel,
      item.sender,
      String(item.priority),
      String(item.position),
      formatMs(item.age_ms),
    ]);
  },
};
