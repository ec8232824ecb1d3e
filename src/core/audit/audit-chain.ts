import { hash } from 'node:crypto';
import {
  FIRST_PREVIOUS_HASH,
  type AuditHead,
  type AuditNote,
  type AuditQuery,
  type AuditRow,
  type AuditStore,
  type ChainedRow,
} from '../store/index.js';
import { RETENTION_ACTION } from './audit-notes.js';

/** Rows per page when the trail is read. */
const PAGE_ROWS = 1_000;

/** The head of an empty trail. */
export const EMPTY_HEAD: AuditHead = { sequence: 0, hash: FIRST_PREVIOUS_HASH };

/**
 * Builds the row that follows `head`. Its body is text from here on: it is stored and hashed as it is, since a value that
 * is parsed and written again may differ (numbers, the order of keys, half characters).
 * @param subject the ID that stands for the person of the note
 */
export function chainAudit(head: AuditHead, at: number, note: AuditNote, subject?: string): ChainedRow {
  const row = { sequence: head.sequence + 1, body: writeBody(at, note, subject), previousHash: head.hash };
  return { ...row, hash: hashRow(row) };
}

function writeBody(at: number, { tenant, actor, action, target, before, after }: AuditNote, subject?: string): string {
  const fields = JSON.stringify({ action, actor, at, subject, target, tenant });
  return `${fields.slice(0, -1)},"before":${before},"after":${after}}`;
}

/** Returns what the body of a row says. Values of `before` and `after` read as JSON.parse reads them. */
export function readAuditBody(body: string): Pick<AuditRow, 'at' | 'subject' | keyof AuditNote> {
  const { before, after, ...fields } = JSON.parse(body) as Omit<AuditRow, 'before' | 'after'> & {
    readonly before: unknown;
    readonly after: unknown;
  };
  return { ...fields, before: JSON.stringify(before), after: JSON.stringify(after) };
}

function hashRow({ sequence, body, previousHash }: Omit<ChainedRow, 'hash'>): string {
  return hash('sha256', `${previousHash}\n${sequence}\n${body}`, 'hex');
}

/** The result of {@link verifyAuditChain}. */
export type ChainVerdict =
  | {
      readonly kind: 'intact';
      /** The sequence of the newest row. */
      readonly rows: number;
      /** The sequence of the oldest row that retention has left; 1 for an empty trail. */
      readonly oldest: number;
    }
  | {
      readonly kind: 'broken';
      /** The first sequence at which the chain is broken. */
      readonly sequence: number;
      /**
       * `missing`: there is another row, or none, at this sequence; `changed`: the row does not match its hash; `differs`: the
       * chain is intact up to this row, which is not that of the head that was noted elsewhere: it is the chain of another copy,
       * or this row or earlier ones were changed with all hashes.
       */
      readonly fault: 'missing' | 'changed' | 'differs';
    };

type Broken = Extract<ChainVerdict, { kind: 'broken' }>;

/**
 * Checks that all rows are present, unchanged and in order, in a trail to which nothing is added meanwhile; see
 * {@link verifyAuditTrail} for one in use. Detects rows that were changed, removed (including the
 * newest), moved or inserted. The oldest rows may be missing if a later row says so, as the store writes it when their
 * time is over.
 * @param rows all rows, oldest first
 * @param head the head from the store
 * @param known a head of before that was noted elsewhere, for example in the manifest of a backup. It is not compared if
 *   retention has deleted its row.
 */
export function verifyAuditChain(
  rows: AsyncIterable<ChainedRow> | Iterable<ChainedRow>,
  head: AuditHead,
  known: AuditHead = EMPTY_HEAD,
): Promise<ChainVerdict> {
  return verifyRows(rows, { head, known, newest: head.sequence });
}

/** @param newest the sequence of the newest row; undefined if rows may follow the head */
async function verifyRows(
  rows: AsyncIterable<ChainedRow> | Iterable<ChainedRow>,
  {
    head,
    known,
    newest,
  }: { readonly head: AuditHead; readonly known: AuditHead; readonly newest?: number | undefined },
): Promise<ChainVerdict> {
  let last = EMPTY_HEAD;
  let start: AuditHead | undefined;
  let cut: AuditHead | undefined;
  for await (const row of rows) {
    if (!start) {
      start = { sequence: row.sequence - 1, hash: row.previousHash };
      // The first row of all continues no other.
      last = start.sequence === 0 ? EMPTY_HEAD : start;
    }
    const sequence = last.sequence + 1;
    if (row.sequence !== sequence) return broken(sequence, 'missing');
    if (row.previousHash !== last.hash || hashRow(row) !== row.hash) return broken(sequence, 'changed');
    if (head.sequence === sequence && head.hash !== row.hash) return broken(sequence, 'changed');
    if (known.sequence === sequence && known.hash !== row.hash) return broken(sequence, 'differs');
    cut = readCut(row, start) ?? cut;
    last = { sequence, hash: row.hash };
  }
  start ??= EMPTY_HEAD;
  return (
    findBrokenStart(start, cut) ??
    findBrokenEnd(last, Math.max(head.sequence, known.sequence), newest) ?? {
      kind: 'intact',
      rows: last.sequence,
      oldest: start.sequence + 1,
    }
  );
}

/** Returns what a row says about the deletion of the rows before `start`. */
function readCut({ body }: ChainedRow, start: AuditHead): AuditHead | undefined {
  // Read only where it matters: the body of a row is not parsed to verify it.
  if (start.sequence === 0 || !body.includes(RETENTION_ACTION)) return undefined;
  const { action, after } = readAuditBody(body);
  if (action !== RETENTION_ACTION) return undefined;
  const { cut_entry: sequence, cut_hash: cutHash } = JSON.parse(after) as { cut_entry: number; cut_hash: string };
  return { sequence, hash: cutHash };
}

function findBrokenStart(start: AuditHead, cut: AuditHead = EMPTY_HEAD): Broken | undefined {
  if (start.sequence > cut.sequence) return broken(cut.sequence + 1, 'missing');
  // Rows before the cut were put back, or the row at the cut is another one.
  return start.sequence < cut.sequence || start.hash !== cut.hash ? broken(start.sequence + 1, 'changed') : undefined;
}

/** @param reach the sequence of the newest row that must be there */
function findBrokenEnd(last: AuditHead, reach: number, newest: number | undefined): Broken | undefined {
  if (last.sequence < reach) return broken(last.sequence + 1, 'missing');
  return newest !== undefined && last.sequence > newest ? broken(last.sequence, 'changed') : undefined;
}

function broken(sequence: number, fault: Broken['fault']): Broken {
  return { kind: 'broken', sequence, fault };
}

/** The parts of the port that {@link verifyAuditTrail} reads. */
export type ReadableTrail = Pick<AuditStore, 'readAuditHead' | 'readAuditChain'>;

/**
 * Verifies the trail of a store that may be in use: rows that are added meanwhile must continue the chain. Checks
 * completeness up to the head at the time of the call. Begins again when the oldest rows were deleted meanwhile, which would
 * look like a gap between two pages.
 * @param known see {@link verifyAuditChain}
 * @throws GatewayError STORE_UNAVAILABLE
 */
export async function verifyAuditTrail(store: ReadableTrail, known: AuditHead = EMPTY_HEAD): Promise<ChainVerdict> {
  for (;;) {
    const oldest = await readOldest(store);
    const head = await store.readAuditHead();
    const verdict = await verifyRows(readChain(store), { head, known });
    if (verdict.kind === 'intact' || (await readOldest(store)) === oldest) return verdict;
  }
}

/** Returns the sequence of the oldest row; undefined for an empty trail. */
async function readOldest(store: ReadableTrail): Promise<number | undefined> {
  const [row] = await store.readAuditChain(0, 1);
  return row?.sequence;
}

async function* readChain(store: ReadableTrail): AsyncGenerator<ChainedRow> {
  let page: readonly ChainedRow[] = [];
  do {
    page = await store.readAuditChain(page.at(-1)?.sequence ?? 0, PAGE_ROWS);
    yield* page;
  } while (page.length === PAGE_ROWS);
}

/** Reads all rows that match a query, page by page. */
export async function* readAuditTrail(
  store: Pick<AuditStore, 'listAudit'>,
  query: Omit<AuditQuery, 'after' | 'limit'> = { order: 'oldest' },
): AsyncGenerator<AuditRow> {
  let page: readonly AuditRow[] = [];
  do {
    const after = page.at(-1)?.sequence;
    page = await store.listAudit({ ...query, limit: PAGE_ROWS, ...(after !== undefined && { after }) });
    yield* page;
  } while (page.length === PAGE_ROWS);
}
