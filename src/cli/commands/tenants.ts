import { AdminSession } from '../admin-session.js';
import type { Command } from '../command.js';
import { UsageError } from '../faults.js';
import { LIST_OPTIONS, readLimit, readOptions, readTarget } from '../options.js';

type Numbers = Readonly<Record<string, number>>;

interface Tenant {
  readonly name: string;
  readonly limits: Numbers;
  readonly quotas: Numbers;
  readonly used: Numbers;
}

/** A limit or a quota with its new value: `quotas.turns=4`, or `quotas.turns=none` to remove it. */
const CHANGE = /^(limits|quotas)\.([a-z_]+)=(none|\d+(?:\.\d+)?)$/;

const HEAD = ['TENANT', 'QUOTAS', 'LIMITS'];

/** `openclaw tenants`: the tenants with their limits and quotas. */
export const tenants: Command = {
  name: 'tenants',
  summary: 'tenants with their limits and quotas: list, set',
  usage: `Usage: openclaw tenants [list] [--limit N] [--url URL] [--json]
       openclaw tenants set NAME FIELD=VALUE [FIELD=VALUE ...] [--url URL] [--json]

list  the tenants by name, with what they have used today of each quota
set   changes limits (limits.messages_per_minute, limits.reactions_per_minute, limits.media_bytes_per_day) and
      quotas (quotas.messages_per_day, quotas.queued, quotas.turns, quotas.tokens_per_day, quotas.cost_per_day);
      the VALUE none removes one

  --limit N  at most N (default: 100)
  --url URL  where the gateway is (default: OPENCLAW_URL, else http://127.0.0.1:18789)
  --json     print the response as JSON

Examples:
  openclaw tenants
  openclaw tenants set acme quotas.tokens_per_day=1000000 quotas.turns=none
`,
  async run(args, terminal) {
    const { values, positionals } = readOptions('tenants', args, LIST_OPTIONS, true);
    const session = new AdminSession(terminal, readTarget('tenants', values.url, terminal), values.json);
    const [action = 'list', name, ...fields] = positionals;
    if (action === 'list') {
      if (name !== undefined) throw new UsageError(`Unexpected argument ${name}`, 'tenants');
      return session.printList(
        await session.list<Tenant>('tenants', {}, readLimit('tenants', values.limit)),
        HEAD,
        toRow,
      );
    }
    if (action !== 'set') throw new UsageError(`tenants knows list and set, not ${action}`, 'tenants');
    if (name === undefined || fields.length === 0)
      throw new UsageError('set needs the NAME of a tenant and a FIELD=VALUE', 'tenants');
    const init = { method: 'PATCH', body: JSON.stringify(readChanges(fields)) };
    const tenant = await session.ask<Tenant>(`tenants/${encodeURIComponent(name)}`, init);
    return session.print(tenant, [HEAD, toRow(tenant)]);
  },
};

function readChanges(fields: readonly string[]): Readonly<Record<string, Record<string, number | null>>> {
  const changes: Record<string, Record<string, number | null>> = {};
  for (const field of fields) {
    const [, part, name, value] = CHANGE.exec(field) ?? [];
    if (part === undefined || name === undefined)
      throw new UsageError(`${field} is not a field with a value, for example quotas.turns=4`, 'tenants');
    (changes[part] ??= {})[name] = value === 'none' ? null : Number(value);
  }
  return changes;
}

function toRow({ name, quotas, limits, used }: Tenant): readonly string[] {
  const shown = Object.entries(quotas).map(([quota, limit]) => {
    const spent = used[quota];
    return `${quota} ${spent === undefined ? '' : `${Math.round(spent * 100) / 100}/`}${limit}`;
  });
  return [
    name,
    shown.join(', ') || '-',
    Object.entries(limits)
      .map(([limit, value]) => `${limit} ${value}`)
      .join(', ') || '-',
  ];
}
