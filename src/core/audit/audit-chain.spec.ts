import { describe, expect, it } from 'vitest';
import type { AuditHead, AuditQuery, AuditRow, AuditStore } from '../store/index.js';
import { noteOfSweep } from './audit-notes.js';
import { chainAudit, EMPTY_HEAD, verifyAuditChain, verifyAuditTrail } from './audit-chain.js';

/** An audit trail of `length` rows with its head. */
function aTrail(length: number, actor = 'ann'): { rows: AuditRow[]; head: AuditHead } {
  const rows: AuditRow[] = [];
  let head = EMPTY_HEAD;
  for (let at = 1; at <= length; at++) {
    const note = { tenant: 'default', actor, action: 'session.update', target: `s_${at}`, before: '{}', after: '{}' };
    const row = chainAudit(head, at, note);
    rows.push(row);
    head = { sequence: row.sequence, hash: row.hash };
  }
  return { rows, head };
}

const broken = (sequence: number, fault: string) => ({ kind: 'broken', sequence, fault });

describe('verifyAuditChain', () => {
  it('reports an untouched trail as intact, even an empty one', async () => {
    const { rows, head } = aTrail(5);
    expect(await verifyAuditChain(rows, head)).toEqual({ kind: 'intact', rows: 5 });
    expect(await verifyAuditChain([], EMPTY_HEAD)).toEqual({ kind: 'intact', rows: 0 });
  });

  const fields: readonly Partial<AuditRow>[] = [
    { at: 9 },
    { tenant: 'other' },
    { actor: 'eve' },
    { action: 'x' },
    { target: 'x' },
    { before: '{"a":1}' },
    { after: 'null' },
    { previousHash: '1'.repeat(64) },
    { hash: '1'.repeat(64) },
  ];
  it.each(fields)('detects a changed row: %j', async (change) => {
    const { rows, head } = aTrail(5);
    rows[2] = { ...(rows[2] as AuditRow), ...change };
    expect(await verifyAuditChain(rows, head)).toEqual(broken(3, 'changed'));
  });

  it('accepts the removal of the oldest rows that a later row names, and no other', async () => {
    const { rows, head } = aTrail(5);
    const third = rows[2] as AuditRow;
    const swept = chainAudit(head, 6, noteOfSweep(third));
    const after = (from: number) => verifyAuditChain([...rows.slice(from), swept], swept);
    expect(await after(3)).toEqual({ kind: 'intact', rows: 6 });
    expect([await after(2), await after(4)]).toEqual([broken(1, 'missing'), broken(1, 'missing')]);
    expect(await verifyAuditChain(rows.slice(3), head)).toEqual(broken(1, 'missing'));
    const forged = chainAudit(third, 4, noteOfSweep({ sequence: 3, hash: third.hash }));
    expect(await verifyAuditChain([forged, ...rows.slice(4), swept], swept)).toMatchObject({ kind: 'broken' });
  });

  it('detects a changed row whose own hash was adapted', async () => {
    const { rows, head } = aTrail(5);
    const { sequence, previousHash, at, ...note } = rows[2] as AuditRow;
    rows[2] = chainAudit({ sequence: sequence - 1, hash: previousHash }, at, { ...note, actor: 'eve' });
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
    const [first, second, third, ...rest] = rows as [AuditRow, AuditRow, AuditRow];
    expect(await verifyAuditChain([first, third, second, ...rest], head)).toEqual(broken(2, 'missing'));
    const renumbered = [first, { ...third, sequence: 2 }, { ...second, sequence: 3 }, ...rest];
    expect(await verifyAuditChain(renumbered, head)).toEqual(broken(2, 'changed'));
  });

  it('detects an inserted row, in the middle or at the end', async () => {
    const { rows, head } = aTrail(5);
    const [stranger] = aTrail(1, 'eve').rows as [AuditRow];
    const middle = [...rows.slice(0, 2), { ...stranger, sequence: 3 }, ...rows.slice(2)];
    expect(await verifyAuditChain(middle, head)).toEqual(broken(3, 'changed'));
    const end = chainAudit(head, 6, stranger);
    expect(await verifyAuditChain([...rows, end], head)).toEqual(broken(6, 'changed'));
  });

  it('detects a completely rewritten chain whose author cannot change the head', async () => {
    expect(await verifyAuditChain(aTrail(5, 'eve').rows, aTrail(5).head)).toEqual(broken(5, 'changed'));
  });
});

/** A store whose rows have changed since its head was read. */
const aStore = (head: AuditHead, rows: readonly AuditRow[]): AuditStore => ({
  recordAudit: async () => {},
  readAuditHead: async () => head,
  listAudit: async ({ after = 0, limit }: AuditQuery) => rows.slice(after, after + limit),
});

describe('verifyAuditTrail', () => {
  it('reports a trail as intact to which rows are added meanwhile', async () => {
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(7).rows))).toEqual({ kind: 'intact', rows: 7 });
    expect(await verifyAuditTrail(aStore(EMPTY_HEAD, aTrail(1).rows))).toEqual({ kind: 'intact', rows: 1 });
  });

  it('reports a trail as intact whose oldest rows are deleted between two pages', async () => {
    const { rows, head } = aTrail(2_500);
    const last = rows[1_499] as AuditRow;
    const swept = chainAudit(head, 2_501, noteOfSweep(last));
    let stored = rows;
    const store: AuditStore = {
      recordAudit: async () => {},
      readAuditHead: async () => head,
      listAudit: async ({ after = 0, limit }: AuditQuery) => {
        if (after > 0) stored = [...rows.slice(1_500), swept];
        return stored.filter(({ sequence }) => sequence > after).slice(0, limit);
      },
    };
    expect(await verifyAuditTrail(store)).toEqual({ kind: 'intact', rows: 2_501 });
  });

  it('detects a later row that does not continue the chain', async () => {
    const { rows } = aTrail(7);
    rows[6] = { ...(rows[6] as AuditRow), actor: 'eve' };
    expect(await verifyAuditTrail(aStore(aTrail(5).head, rows))).toEqual(broken(7, 'changed'));
  });

  it('detects missing rows, and a rewritten chain that has grown beyond the head', async () => {
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(4).rows))).toEqual(broken(5, 'missing'));
    expect(await verifyAuditTrail(aStore(aTrail(5).head, aTrail(7, 'eve').rows))).toEqual(broken(5, 'changed'));
  });
});
