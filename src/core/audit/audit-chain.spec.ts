import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuditHead, ChainedRow } from '../store/index.js';
import { noteOfRetention } from './audit-notes.js';
import { chainAudit, EMPTY_HEAD, verifyAuditChain, verifyAuditTrail, type ReadableTrail } from './audit-chain.js';

function aRow(head: AuditHead, at: number, actor: string): ChainedRow {
  const note = { tenant: 'default', actor, action: 'session.update', target: `s_${at}`, before: '{}', after: '{}' };
  return chainAudit(head, at, note);
}

/** An audit trail of `length` rows with its head. */
function aTrail(length: number, actor = 'ann'): { rows: ChainedRow[]; head: AuditHead } {
  const rows: ChainedRow[] = [];
  let head = EMPTY_HEAD;
  for (let at = 1; at <= length; at++) {
    const row = aRow(head, at, actor);
    rows.push(row);
    head = { sequence: row.sequence, hash: row.hash };
  }
  return { rows, head };
}

const broken = (sequence: number, fault: string) => ({ kind: 'broken', sequence, fault });

describe('verifyAuditChain', () => {
  it('reports an untouched trail as intact, even an empty one', async () => {
    const { rows, head } = aTrail(5);
    expect(await verifyAuditChain(rows, head)).toEqual({ kind: 'intact', rows: 5, oldest: 1 });
    expect(await verifyAuditChain([], EMPTY_HEAD)).toEqual({ kind: 'intact', rows: 0, oldest: 1 });
  });

  const fields: readonly Partial<ChainedRow>[] = [
    { body: '{"actor":"eve"}' },
    { previousHash: '1'.repeat(64) },
    { hash: '1'.repeat(64) },
  ];
  it.each(fields)('detects a changed row: %j', async (change) => {
    const { rows, head } = aTrail(5);
    rows[2] = { ...(rows[2] as ChainedRow), ...change };
    expect(await verifyAuditChain(rows, head)).toEqual(broken(3, 'changed'));
  });

  it('accepts the removal of the oldest rows that a later row names, and no other', async () => {
    const { rows, head } = aTrail(5);
    const third = rows[2] as ChainedRow;
    const swept = chainAudit(head, 6, noteOfRetention(third));
    const after = (from: number) => verifyAuditChain([...rows.slice(from), swept], swept);
    expect(await after(3)).toEqual({ kind: 'intact', rows: 6, oldest: 4 });
    expect([await after(2), await after(4)]).toEqual([broken(3, 'changed'), broken(4, 'missing')]);
    expect(await verifyAuditChain(rows.slice(3), head)).toEqual(broken(1, 'missing'));
    const forged = chainAudit(third, 4, noteOfRetention({ sequence: 3, hash: third.hash }));
    expect(await verifyAuditChain([forged, ...rows.slice(4), swept], swept)).toMatchObject({ kind: 'broken' });
  });

  it('detects a changed row whose own hash was adapted', async () => {
    const { rows, head } = aTrail(5);
    rows[2] = aRow(rows[1] as ChainedRow, 3, 'eve');
    expect(await verifyAuditChain(rows, head)).toEqual(broken(4, 'changed'));
  });

  it.each([0, 2, 4])('detects the removal of row %i', async (index) => {
    const { rows, head } = aTrail(5);
    rows.splice(index, 1);
    expect(await verifyAuditChain(rows, head)).toEqual(broken(index + 1, 'missing'));
  });

  it('detects the removal of all rows', async () => {
    expect(await verifyAuditChain([], aTrail(5).head)).toEqual(broken(1, 'missing'));
  });

  it('detects swapped rows, with or without their numbers', async () => {
    const { rows, head } = aTrail(5);
    const [first, second, third, ...rest] = rows as [ChainedRow, ChainedRow, ChainedRow];
    expect(await verifyAuditChain([first, third, second, ...rest], head)).toEqual(broken(2, 'missing'));
    const renumbered = [first, { ...third, sequence: 2 }, { ...second, sequence: 3 }, ...rest];
    expect(await verifyAuditChain(renumbered, head)).toEqual(broken(2, 'changed'));
  });

  it('detects an inserted row, in the middle or at the end', async () => {
    const { rows, head } = aTrail(5);
    const [stranger] = aTrail(1, 'eve').rows as [ChainedRow];
    const middle = [...rows.slice(0, 2), { ...stranger, sequence: 3 }, ...rows.slice(2)];
    expect(await verifyAuditChain(middle, head)).toEqual(broken(3, 'changed'));
    const end = { ...stranger, sequence: 6, previousHash: head.hash };
    expect(await verifyAuditChain([...rows, end], head)).toEqual(broken(6, 'changed'));
  });

  it('detects a completely rewritten chain whose author cannot change the head', async () => {
    expect(await verifyAuditChain(aTrail(5, 'eve').rows, aTrail(5).head)).toEqual(broken(5, 'changed'));
  });
});

/** A store whose rows have changed since its head was read. */
const aStore = (head: AuditHead, rows: readonly ChainedRow[]): ReadableTrail => ({
  readAuditHead: async () => head,
  readAuditChain: async (after, limit) => rows.slice(after, after + limit),
});

describe('a head that was noted elsewhere', () => {
  it('shows that a chain is shorter or another one, until retention has deleted its row', async () => {
    const { rows, head } = aTrail(5);
    const known = { sequence: 4, hash: rows[3]?.hash ?? '' };
    expect(await verifyAuditChain(rows, head, known)).toMatchObject({ kind: 'intact' });
    expect(await verifyAuditChain(rows.slice(0, 3), rows[2]!, known)).toEqual(broken(4, 'missing'));
    expect(await verifyAuditChain(aTrail(5, 'eve').rows, aTrail(5, 'eve').head, known)).toEqual(broken(4, 'differs'));
    const cut = chainAudit(head, 6, noteOfRetention(head));
    expect(await verifyAuditChain([cut], cut, known)).toMatchObject({ kind: 'intact', oldest: 6 });
  });
});

/** Chains of the field study. */
interface Chain {
  readonly name: string;
  readonly rows: readonly { entry: number; prev: string; body: string; hash: string }[];
  readonly known_head?: { readonly entry: number; readonly hash: string };
  readonly expect: { readonly ok: boolean; readonly first_bad?: number; readonly starts_at?: number } | string;
}

const readChains = (name: string) =>
  (JSON.parse(readFileSync(`test/inputs/enterprise/${name}`, 'utf8')) as { readonly chains: readonly Chain[] }).chains;

describe('a chain whose texts are hashed as they are stored', () => {
  it.each([...readChains('E34-audit-chain.json'), ...readChains('E36-audit-retention.json')])(
    '[I-51] verifies or does not: $name',
    async ({ rows: stored, known_head: known, expect: expected }) => {
      // A store lists its rows by their number.
      const rows = stored
        .map(({ entry, prev, body, hash }) => ({ sequence: entry, previousHash: prev, body, hash }))
        .sort((a, b) => a.sequence - b.sequence);
      const verdict = await verifyAuditChain(rows, rows.at(-1)!, known && { sequence: known.entry, hash: known.hash });
      if (typeof expected === 'string' || expected.ok) {
        const oldest = typeof expected === 'object' ? (expected.starts_at ?? 1) : 1;
        expect(verdict).toMatchObject({ kind: 'intact', oldest });
        return;
      }
      expect(verdict).toMatchObject({ kind: 'broken' });
      // The study names the row that follows a gap; the verdict names the row that is missing.
      const gap = rows.find(({ sequence }, index) => index > 0 && sequence !== rows[index - 1]!.sequence + 1)?.sequence;
      const shown = expected.first_bad ?? rows.at(-1)!.sequence + 1;
      expect(verdict).toMatchObject({ sequence: shown === gap ? shown - 1 : shown });
    },
  );

  it('holds for values that read back differently', async () => {
    const after = '{"b":1.0,"a":1e400,"a":9007199254740993,"half":"\\ud800","nul":"\\u0000"}';
    const note = { tenant: '*', actor: 'a\u0000\ud800', action: 'x.y', target: 't', before: 'null', after };
    const row = chainAudit(EMPTY_HEAD, 1, note);
    expect(row.body.isWellFormed() && !row.body.includes('\u0000')).toBe(true);
    expect(await verifyAuditChain([{ ...row }], row)).toMatchObject({ kind: 'intact' });
  });
});

describe('verifyAuditTrail', () => {
  it('reports a trail as intact to which rows are added meanwhile', async () => {
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(7).rows))).toEqual({
      kind: 'intact',
      rows: 7,
      oldest: 1,
    });
    expect(await verifyAuditTrail(aStore(EMPTY_HEAD, aTrail(1).rows))).toEqual({ kind: 'intact', rows: 1, oldest: 1 });
  });

  it('reports a trail as intact whose oldest rows are deleted between two pages', async () => {
    const { rows, head } = aTrail(2_500);
    const last = rows[1_499] as ChainedRow;
    const swept = chainAudit(head, 2_501, noteOfRetention(last));
    let stored = rows;
    const store: ReadableTrail = {
      readAuditHead: async () => head,
      readAuditChain: async (after, limit) => {
        if (after > 0) stored = [...rows.slice(1_500), swept];
        return stored.filter(({ sequence }) => sequence > after).slice(0, limit);
      },
    };
    expect(await verifyAuditTrail(store)).toEqual({ kind: 'intact', rows: 2_501, oldest: 1_501 });
  });

  it('detects a later row that does not continue the chain', async () => {
    const { rows } = aTrail(7);
    rows[6] = { ...(rows[6] as ChainedRow), body: '{}' };
    expect(await verifyAuditTrail(aStore(aTrail(5).head, rows))).toEqual(broken(7, 'changed'));
  });

  it('detects missing rows, and a rewritten chain that has grown beyond the head', async () => {
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(4).rows))).toEqual(broken(5, 'missing'));
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(7, 'eve').rows))).toEqual(broken(5, 'changed'));
  });
});
