import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';
import { AdminSession, formatTime } from '../admin-session.js';

interface Turn {
  readonly message_ref: string;
  readonly session_id: string;
  readonly channel: string;
  readonly sender: string;
  readonly agent: string;
  readonly attempt: number;
  readonly since: number;
  readonly step: string;
  readonly tool?: string;
}

/** `openclaw turns`: the turns that run. */
export const turns: Command = {
  name: 'turns',
  summary: 'turns that run: list, cancel',
  usage: `Usage: openclaw turns [list] [--tenant T] [--limit N] [--url URL] [--json]
       openclaw turns cancel REF... [--url URL] [--json]

list    the turns that run now, with what each does
cancel  ends them

  --tenant T  one tenant, for operators of all
  --limit N   at most N (default: 100)
  --url URL   where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json      print the response as JSON

Examples:
  openclaw turns
  openclaw turns cancel m_4f61_9
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('turns', args, { ...LIST_OPTIONS, ...TENANT_OPTION }, true);
    const session = new AdminSession(terminal, readTarget('turns', values.url, terminal, values.tenant), values.json);
    const [action = 'list', ...refs] = positionals;
    switch (action) {
      case 'list':
        if (refs[0] !== undefined) throw new UsageError(`Unexpected argument ${refs[0]}`, 'turns');
        return list(session, readLimit('turns', values.limit));
      case 'cancel':
        if (refs.length === 0) throw new UsageError('cancel needs the ref of a message', 'turns');
        for (const ref of refs) {
          await session.do(`turns/${encodeURIComponent(ref)}`, { method: 'DELETE' });
          session.confirm(`${ref} ends`, { message_ref: ref, state: 'ends' });
        }
        return EXIT.done;
      default:
        throw new UsageError(`turns knows list and cancel, not ${action}`, 'turns');
    }
  },
};

async function list(session: AdminSession, limit: number | undefined): Promise<number> {
  const page = await session.list<Turn>('turns', {}, limit);
  const head = ['MESSAGE', 'SESSION', 'CHANNEL', 'SENDER', 'AGENT', 'RUN', 'SINCE', 'DOES'];
  return session.printList(page, head, (turn) => [
    turn.message_ref,
    turn.session_id,
    turn.channel,
    turn.sender,
    turn.agent,
    String(turn.attempt),
    formatTime(turn.since),
    turn.tool === undefined ? turn.step : `${turn.step} ${turn.tool}`,
  ]);
}
