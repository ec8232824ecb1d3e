import type { PlaceParts } from '../place.js';
import { findPage } from '../page-table.js';
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

/** Returns the page that shows what a call of the API does; undefined if there is none. */
export function findPlaceOf(link: string): PlaceParts | undefined {
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
export function listTroubles(warnings: readonly Warning[], approvals: readonly WaitingApproval[]): readonly Trouble[] {
  const found = warnings.map((warning): Trouble => ({ kind: 'warning', warning, place: findPlaceOf(warning.link) }));
  const isError = (trouble: Trouble) => trouble.kind === 'warning' && trouble.warning.severity === 'error';
  const [first] = [...approvals].sort((a, b) => a.expires_at - b.expires_at);
  const decisions: readonly Trouble[] = first
    ? [{ kind: 'approvals', count: approvals.length, first, place: { page: 'approvals' } }]
    : [];
  return [...found.filter(isError), ...decisions, ...found.filter((trouble) => !isError(trouble))];
}
