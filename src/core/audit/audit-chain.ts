import { hash } from 'node:crypto';
import {
  FIRST_PREVIOUS_HASH,
  type AuditHead,
  type AuditNote,
  type AuditQuery,
  type AuditRow,
  type AuditStore,
} from '../store/index.js';
import { canonicalise } from '../store/canonical-json.js';
import { noteOfSweep, SWEEP_ACTION } from './audit-notes.js';

/** Rows per page when the trail is read. */
const PAGE_ROWS = 1_000;

/** The head of an empty trail. */
export const EMPTY_HEAD: AuditHead = { sequence: 0, hash: FIRST_PREVIOUS_HASH };

/** Builds the row that follows `head`. */
export function chainAudit(head: AuditHead, at: number, note: AuditNote): AuditRow {
  const { tenant, actor, action, target, before, after } = note;
  const row = {
    sequence: head.sequence + 1,
    at,
    tenant,
    actor,
    action,
    target,
    before,
    after,
    previousHash: head.hash,
  };
  return { ...row, hash: hashRow(row) };
}

function hashRow(row: Omit<AuditRow, 'hash'>): string {
  return hash('sha256', canonicalise(row), 'hex');
}

/** The result of {@link verifyAuditChain}. */
export type ChainVerdict =
  | { readonly kind: 'intact'; readonly rows: number }
  | {
      readonly kind: 'broken';
      /** The first sequence at which the chain is broken. */
      readonly sequence: number;
      /** `missing`: there is another row, or none, at this sequence; `changed`: the row does not match its hash. */
      readonly fault: 'missing' | 'changed';
    };

/**
 * Checks that all rows are present, unchanged and in order, in a trail to which nothing is added meanwhile; see
 * {@link verifyAuditTrail} for one in use. Detects rows that were changed, removed (including the
 * newest), moved or inserted. The oldest rows may be missing if a later row says so, as the store writes it when their
 * time is over.
 * @param rows all rows, oldest first
 * @param head the head from the store
 */
export function verifyAuditChain(
  rows: AsyncIterable<AuditRow> | Iterable<AuditRow>,
  head: AuditHead,
): Promise<ChainVerdict> {
  return verifyRows(rows, head, 'rests');
}

/** `rests`: the head is that of the last row. `grows`: rows may follow the one of the head. */
async function verifyRows(
  rows: AsyncIterable<AuditRow> | Iterable<AuditRow>,
  head: AuditHead,
  trail: 'rests' | 'grows',
): Promise<ChainVerdict> {
  let last = EMPTY_HEAD;
  /** The note of the deleted rows, which a later row must have; undefined if none are missing, or once it was found. */
  let anchor: string | undefined;
  for await (const { hash: ownHash, ...row } of rows) {
    if (last === EMPTY_HEAD && row.sequence > 1) {
      last = { sequence: row.sequence - 1, hash: row.previousHash };
      anchor = noteOfSweep(last).after;
    }
    if (row.action === SWEEP_ACTION && row.after === anchor) anchor = undefined;
    const sequence = last.sequence + 1;
    if (row.sequence !== sequence) return { kind: 'broken', sequence, fault: 'missing' };
    if (row.previousHash !== last.hash || hashRow(row) !== ownHash)
      return { kind: 'broken', sequence, fault: 'changed' };
    if (sequence === head.sequence && ownHash !== head.hash) return { kind: 'broken', sequence, fault: 'changed' };
    last = { sequence, hash: ownHash };
  }
  if (anchor !== undefined) return { kind: 'broken', sequence: 1, fault: 'missing' };
  if (last.sequence < head.sequence) return { kind: 'broken', sequence: last.sequence + 1, fault: 'missing' };
  if (trail === 'rests' && last.sequence > head.sequence)
    return { kind: 'broken', sequence: last.sequence, fault: 'changed' };
  return { kind: 'intact', rows: last.sequence };
}

/**
 * Verifies the trail of a store that may be in use: rows that are added meanwhile must continue the chain. Checks
 * completeness up to the head at the time of the call. Begins again when the oldest rows were deleted meanwhile, which would
 * look like a gap between two pages.
 * @throws GatewayError STORE_UNAVAILABLE
 */
export async function verifyAuditTrail(store: AuditStore): Promise<ChainVerdict> {
  for (;;) {
    const oldest = await readOldest(store);
    const head = await store.readAuditHead();
    const verdict = await verifyRows(readAuditTrail(store), head, 'grows');
    if (verdict.kind === 'intact' || (await readOldest(store)) === oldest) return verdict;
  }
}

/** Returns the sequence of the oldest row; undefined for an empty trail. */
async function readOldest(store: AuditStore): Promise<number | undefined> {
  const [row] = await store.listAudit({ order: 'oldest', limit: 1 });
  return row?.sequence;
}

/** Reads all rows that match a query, page by page. */
export async function* readAuditTrail(
  store: AuditStore,
  query: Omit<AuditQuery, 'after' | 'limit'> = { order: 'oldest' },
): AsyncGenerator<AuditRow> {
  let page: readonly AuditRow[] = [];
  do {
    const after = page.at(-1)?.sequence;
    page = await store.listAudit({ ...query, limit: PAGE_ROWS, ...(after !== undefined && { after }) });
    yield* page;
  } while (page.length === PAGE_ROWS);
}
