import { AdminSession, formatTime } from '../admin-session.js';
import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { checkChoice, LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';

interface Approval {
  readonly approval_id: string;
  readonly session_id: string;
  readonly channel?: string;
  readonly sender?: string;
  readonly tool: string;
  /** What the tool shows of the call. */
  readonly detail?: string;
  readonly arguments: unknown;
  readonly arguments_sha256: string;
  readonly expires_at: number;
  readonly decision?: string;
  readonly decided_by?: string;
}

/** `openclaw approvals`: tool calls that wait for a decision. */
export const approvals: Command = {
  name: 'approvals',
  summary: 'tool calls that wait for a decision: list, allow, deny',
  usage: `Usage: openclaw approvals [list] [--state pending|allowed|denied|expired] [--tenant T] [--limit N]
                          [--url URL] [--json]
       openclaw approvals allow|deny ID SHA256 [--url URL] [--json]

list   the calls that wait, or those that were decided, with what the tool shows
       of a call, its whole arguments and the SHA-256 of these
allow  lets a call run with exactly these arguments
deny   refuses it

  --state S   by default pending
  --tenant T  one tenant, for operators of all
  --limit N   at most N (default: 100)
  --url URL   where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json      print the response as JSON

Examples:
  openclaw approvals
  openclaw approvals deny a_7c1f e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions(
      'approvals',
      args,
      { ...LIST_OPTIONS, ...TENANT_OPTION, state: { type: 'string' } },
      true,
    );
    const session = new AdminSession(
      terminal,
      readTarget('approvals', values.url, terminal, values.tenant),
      values.json,
    );
    const [action = 'list', id, sha256, ...rest] = positionals;
    if (action === 'list') {
      if (id !== undefined) throw new UsageError(`Unexpected argument ${id}`, 'approvals');
      checkChoice('approvals', '--state', values.state, ['pending', 'allowed', 'denied', 'expired']);
      return list(session, values.state, readLimit('approvals', values.limit));
    }
    if (action !== 'allow' && action !== 'deny')
      throw new UsageError(`approvals knows list, allow and deny, not ${action}`, 'approvals');
    if (id === undefined || sha256 === undefined || rest.length > 0)
      throw new UsageError(`${action} needs the ID of an approval and the SHA-256 of its arguments`, 'approvals');
    const body = JSON.stringify({ decision: action, arguments_sha256: sha256 });
    await session.do(`approvals/${encodeURIComponent(id)}`, { method: 'POST', body });
    const state = action === 'allow' ? 'allowed' : 'denied';
    return session.confirm(`${id} ${state}`, { approval_id: id, state });
  },
};

async function list(session: AdminSession, state: string | undefined, limit: number | undefined): Promise<number> {
  const page = await session.list<Approval>('approvals', { state }, limit);
  return session.printList(
    page,
    ['APPROVAL', 'CHANNEL', 'SENDER', 'TOOL', 'SHA-256', 'EXPIRES', 'DECISION'],
    (item) => [
      item.approval_id,
      item.channel ?? '-',
      item.sender ?? '-',
      item.tool,
      item.arguments_sha256,
      formatTime(item.expires_at),
      item.decision === undefined ? '-' : `${item.decision} by ${item.decided_by ?? '-'}`,
    ],
    describeCall,
  );
}

/** Returns all that a decision is about: the hash is of the arguments, whatever the tool shows of them. */
function describeCall({ detail, arguments: given }: Approval): string {
  const shown = detail === undefined ? '' : `shown: ${detail}\n`;
  return `${shown}arguments: ${JSON.stringify(given)}`;
}
