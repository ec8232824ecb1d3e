import type { ConsoleContext } from '../context.js';
import type { Column } from '../list.js';
import { consoleTexts } from '../texts.js';
import { renderText } from './parts.js';

/** True if things of several tenants can stand beside each other: an operator of all has not chosen one. */
export function showsAllTenants({ me, router }: Pick<ConsoleContext, 'me' | 'router'>): boolean {
  return me.isOfAllTenants && router.place.filters['tenant'] === undefined;
}

/** Returns the column with the tenant of a row, where the rows are of all tenants; else none. */
export function tenantColumn(app: Pick<ConsoleContext, 'me' | 'router'>): readonly Column<TenantRow>[] {
  if (!showsAllTenants(app)) return [];
  const { label: head } = consoleTexts.tenant;
  return [{ head, width: 'minmax(5rem, 1fr)', cell: ({ tenant }) => renderText(tenant) }];
}

interface TenantRow {
  readonly tenant: string;
}
