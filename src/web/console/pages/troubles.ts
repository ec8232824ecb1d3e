import { findBarrier } from '../barrier.js';
import type { Me } from '../me.js';
import { findPage } from '../page-table.js';
import type { PlaceParts } from '../place.js';
import type { Warning } from '../status.js';

/** A tool call that waits, as `GET /approvals` lists it. */
export interface WaitingApproval {
  readonly approval_id: string;
  readonly tool: string;
  /** Unix milliseconds. */
  readonly expires_at: number;
}

/** Something that needs a person. */
export type Trouble =
  | { readonly kind: 'warning'; readonly warning: Warning; readonly place: PlaceParts | undefined }
  | { readonly kind: 'approvals'; readonly count: number; readonly first: WaitingApproval; readonly place: PlaceParts };

const API = '/admin/v1/';

/** Where the cause of a warning stands whose link names a call without a page. */
const CAUSES: Readonly<Record<string, PlaceParts>> = {
  STORE_DOWN: { page: 'logs', filters: { subsystem: 'store' } },
  KEYS_NOT_FETCHED: { page: 'logs', filters: { subsystem: 'auth' } },
  DRAINING: { page: 'logs', filters: { subsystem: 'gateway' } },
  MEMORY_LIMIT: { page: 'config', filters: { q: 'limits.' } },
  NOT_REACHABLE: { page: 'config', filters: { q: 'tailscale' } },
};

/** Returns the page for a warning; undefined if there is none, or the person cannot open it. */
export function findPlaceOf({ code, link }: Pick<Warning, 'code' | 'link'>, me: Me): PlaceParts | undefined {
  const place = readLink(link) ?? CAUSES[code];
  const page = place && findPage(place.page ?? '');
  return page && findBarrier(page, me) === undefined ? place : undefined;
}

/** Returns the page that shows what a call of the API returns; undefined if there is none. */
function readLink(link: string): PlaceParts | undefined {
  if (!link.startsWith(API)) return undefined;
  const { pathname, searchParams } = new URL(link.slice(API.length), 'https://gateway');
  const [page = '', ...ids] = pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decodeURIComponent);
  if (page === '' || !findPage(page)) return undefined;
  return { page, ids, filters: Object.fromEntries(searchParams) };
}

/** Lists what needs a person, worst first: errors, then decisions that would run out, then the rest. */
export function listTroubles(
  warnings: readonly Warning[],
  approvals: readonly WaitingApproval[],
  me: Me,
): readonly Trouble[] {
  const found = warnings.map((warning): Trouble => ({ kind: 'warning', warning, place: findPlaceOf(warning, me) }));
  const isError = (trouble: Trouble) => trouble.kind === 'warning' && trouble.warning.severity === 'error';
  const [first] = [...approvals].sort((a, b) => a.expires_at - b.expires_at);
  const decisions: readonly Trouble[] = first
    ? [{ kind: 'approvals', count: approvals.length, first, place: { page: 'approvals' } }]
    : [];
  return [...found.filter(isError), ...decisions, ...found.filter((trouble) => !isError(trouble))];
}
