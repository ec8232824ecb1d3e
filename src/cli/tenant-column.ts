import { requestJson } from './http.js';
import type { GatewayTarget } from './options.js';
import type { Terminal } from './terminal.js';

/** The heading of the column. */
const HEAD = 'TENANT';

/** A row that may name its tenant. */
interface OfTenant {
  readonly tenant?: string;
}

/**
 * Returns a table with its head. Callers who see all tenants get a column with the tenant after the first one, unless they
 * name a tenant, or the table has the column already.
 * @throws UnreachableError; Error with the gateway's message
 */
export async function makeTable<T extends object>(
  { terminal, target }: { readonly terminal: Terminal; readonly target: GatewayTarget },
  head: readonly string[],
  items: readonly T[],
  toRow: (item: T) => readonly string[],
): Promise<readonly (readonly string[])[]> {
  const rows = items.map(toRow);
  const tenants = items.map((item: OfTenant) => item.tenant);
  const isNamed = head.includes(HEAD) || target.tenant !== undefined || tenants.every((name) => name === undefined);
  if (isNamed || !(await seesAllTenants(terminal, target))) return [head, ...rows];
  return [insert(head, HEAD), ...rows.map((row, i) => insert(row, tenants[i] ?? '-'))];
}

async function seesAllTenants(terminal: Terminal, target: GatewayTarget): Promise<boolean> {
  const { tenant } = await requestJson<OfTenant>(terminal, target, '/admin/v1/me');
  return tenant === '*';
}

function insert([first = '', ...rest]: readonly string[], cell: string): readonly string[] {
  return [first, cell, ...rest];
}
