import { AdminSession, encodeQuery, formatTime } from '../admin-session.js';
import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget, TENANT_OPTION } from '../options.js';

interface Connection {
  readonly connection_id: string;
  readonly client_id: string;
  readonly principal: string;
  readonly role: string;
  readonly channels?: readonly string[];
  readonly connected_at: number;
  readonly buffered_bytes: number;
}

/** `openclaw connections`: the clients that are connected. */
export const connections: Command = {
  name: 'connections',
  summary: 'clients that are connected: list, close',
  usage: `Usage: openclaw connections [list] [--tenant T] [--limit N] [--url URL] [--json]
       openclaw connections close ID [--reason TEXT] [--url URL] [--json]

list   the connections of clients, drivers and devices, with whom each speaks for
close  ends one; a client whose credential is still valid can connect again

  --reason TEXT  why, for the audit trail
  --tenant T     one tenant, for operators of all
  --limit N      at most N (default: 100)
  --url URL      where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json         print the response as JSON

Examples:
  openclaw connections
  openclaw connections close 0b9c1c5e-6f1b-4a57-9a4c-0c8f9e8f6d11 --reason 'old version'
`,
  async run(args, terminal) {
    const options = { ...LIST_OPTIONS, ...TENANT_OPTION, reason: { type: 'string' } } as const;
    const { values, positionals } = readOptions('connections', args, options, true);
    const session = new AdminSession(
      terminal,
      readTarget('connections', values.url, terminal, values.tenant),
      values.json,
    );
    const [action = 'list', id, ...rest] = positionals;
    if (action === 'list') {
      if (id !== undefined) throw new UsageError(`Unexpected argument ${id}`, 'connections');
      return list(session, readLimit('connections', values.limit));
    }
    if (action !== 'close') throw new UsageError(`connections knows list and close, not ${action}`, 'connections');
    if (id === undefined || rest.length > 0) throw new UsageError('close needs the ID of a connection', 'connections');
    const query = encodeQuery({ reason: values.reason });
    await session.do(`connections/${encodeURIComponent(id)}?${query}`, { method: 'DELETE' });
    return session.confirm(`${id} closed`, { connection_id: id, state: 'closed' });
  },
};

async function list(session: AdminSession, limit: number | undefined): Promise<number> {
  const page = await session.list<Connection>('connections', {}, limit);
  const head = ['CONNECTION', 'CLIENT', 'PRINCIPAL', 'ROLE', 'CHANNELS', 'SINCE', 'UNSENT'];
  return session.printList(page, head, (connection) => [
    connection.connection_id,
    connection.client_id,
    connection.principal,
    connection.role,
    connection.channels?.join(', ') ?? '-',
    formatTime(connection.connected_at),
    `${connection.buffered_bytes} B`,
  ]);
}
