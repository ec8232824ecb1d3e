import type { Command } from '../command.js';
import { EXIT, UsageError } from '../faults.js';
import { GATEWAY_OPTIONS, readOptions, readTarget } from '../options.js';
import { AdminSession, cut, formatMs, formatTime } from '../admin-session.js';

interface Step {
  readonly kind: string;
  readonly started_at: number;
  readonly ended_at?: number;
  readonly tool?: string;
  readonly decided_by?: string;
}

interface Message {
  readonly message_ref: string;
  readonly session_id: string;
  readonly channel: string;
  readonly sender: string;
  readonly agent: string;
  readonly status: string;
  readonly received_at: number;
  readonly attempts: number;
  readonly content: string;
  readonly steps: readonly Step[];
  readonly end?: { readonly reason: string; readonly at: number; readonly message?: string };
  readonly deliveries: readonly { readonly number: number; readonly state: string; readonly reason?: string }[];
  readonly superseded_by?: string;
}

/** `openclaw messages`: what became of a message. */
export const messages: Command = {
  name: 'messages',
  summary: 'the life of a message: show, cancel, retry',
  usage: `Usage: openclaw messages show REF [--url URL] [--json]
       openclaw messages cancel REF... [--url URL] [--json]
       openclaw messages retry REF... [--url URL] [--json]

show    what became of a message: how long it waited, what its runs did, how it ended, what was delivered
cancel  cancels messages that wait or run
retry   sends failed messages again, each as a message of its own that supersedes it

  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw messages show m_4f61_a
  openclaw messages retry m_4f61_a m_4f61_c
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('messages', args, GATEWAY_OPTIONS, true);
    const session = new AdminSession(terminal, readTarget('messages', values.url, terminal), values.json);
    const [action, ...refs] = positionals;
    if (action !== 'show' && action !== 'cancel' && action !== 'retry')
      throw new UsageError(
        action === undefined ? 'messages needs show, cancel or retry' : `messages cannot ${action}`,
        'messages',
      );
    const [ref, extra] = refs;
    if (ref === undefined) throw new UsageError(`${action} needs the ref of a message`, 'messages');
    if (action !== 'show') return change(session, action, refs);
    if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}`, 'messages');
    return show(session, ref);
  },
};

async function show(session: AdminSession, ref: string): Promise<number> {
  const message = await session.ask<Message>(`messages/${encodeURIComponent(ref)}`);
  const { end } = message;
  return session.print(message, [
    ['message', message.message_ref],
    ['session', message.session_id],
    ['from', `${message.sender} on ${message.channel}, to ${message.agent}`],
    ['text', cut(message.content)],
    ['status', message.status],
    ['received', formatTime(message.received_at)],
    ['runs', String(message.attempts)],
    ...message.steps.map((step) => ['step', describeStep(step)]),
    ...(end ? [['ended', [formatTime(end.at), end.reason, end.message ?? ''].join(' ').trim()]] : []),
    ...message.deliveries.map(({ number, state, reason }) => [
      'part',
      `${number} ${state}${reason === undefined ? '' : `: ${reason}`}`,
    ]),
    ...(message.superseded_by === undefined ? [] : [['superseded by', message.superseded_by]]),
  ]);
}

function describeStep({ kind, started_at: from, ended_at: to, tool = '', decided_by: by }: Step): string {
  const duration = to === undefined ? 'open' : formatMs(to - from);
  return [formatTime(from), kind, tool, duration, by === undefined ? '' : `by ${by}`].filter(Boolean).join(' ');
}

async function change(session: AdminSession, action: 'cancel' | 'retry', refs: readonly string[]): Promise<number> {
  for (const ref of refs) {
    const path = `messages/${encodeURIComponent(ref)}/${action}`;
    if (action === 'cancel') {
      await session.do(path, { method: 'POST' });
      session.confirm(`${ref} cancelled`, { message_ref: ref, state: 'cancelled' });
    } else {
      const accepted = await session.ask<{ message_ref: string; status: string }>(path, { method: 'POST' });
      session.print(accepted, [[`${ref} is sent again as ${accepted.message_ref} (${accepted.status})`]]);
    }
  }
  return EXIT.done;
}
