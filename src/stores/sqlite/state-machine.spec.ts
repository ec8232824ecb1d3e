import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFrame, aMessage, anEnd, aSession, GENEROUS_LIMITS } from '../../testing/index.js';
import type { Claim, NewMessage } from '../../core/store/index.js';
import { openDatabase, type OpenDatabase } from './file/database.js';
import { callOf, type BatchReply, type Call } from './operations/index.js';
import { unpackOutcome, type PackedOutcome } from './thread/accept-packing.js';
import { KeptRecords, unpackClaims, type PackedClaims } from './thread/packing.js';
import { SqliteStateMachine } from './state-machine.js';

const DISK_FULL = 13;

let opened: OpenDatabase;
let machine: SqliteStateMachine;
let now: number;
let kept: KeptRecords;
/** The messages of the calls that accept them. */
const sent = new Map<Call, NewMessage>();
/** Called before each commit. May throw to make it fail. */
let beforeCommit: () => void;

beforeEach(() => {
  opened = openDatabase(undefined);
  const exec = opened.database.exec.bind(opened.database);
  beforeCommit = () => {};
  opened.database.exec = (sql) => {
    if (sql === 'COMMIT') beforeCommit();
    exec(sql);
  };
  now = 1_000_000;
  kept = new KeptRecords();
  sent.clear();
  machine = new SqliteStateMachine(opened.database, { now, elapsed: now });
});
afterEach(() => opened.close());

const read = (...calls: Call[]): BatchReply => machine.run({ kind: 'read', now, elapsed: now, calls });
const claimUpTo = (limit: number): Call => callOf('claim', { replicaId: 'r', limit, leaseMs: 1 });
const count = () => read(callOf('countQueue', 0)).results[0];
const logOf = (session: string) =>
  (read(callOf('readFrames', session, 0, 100, 100_000)).results[0] as { frames: unknown[] }).frames;

/** Runs calls as one batch. The outcomes of those that accept messages are unpacked. */
function write(...calls: Call[]): BatchReply {
  const reply = machine.run({ kind: 'write', now, elapsed: now, calls });
  const results = reply.results.map((result, index) => {
    const message = sent.get(calls[index] as Call);
    return message && result !== undefined ? unpackOutcome(result as PackedOutcome, message, kept) : result;
  });
  return { ...reply, results };
}

function accept(changes: Partial<NewMessage> = {}): Call {
  const message = aMessage(changes);
  const call = callOf('accept', message, GENEROUS_LIMITS);
  sent.set(call, message);
  return call;
}

function failCommits(): void {
  beforeCommit = () => {
    throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: DISK_FULL });
  };
}

function claim(): Claim {
  const { claims } = unpackClaims(write(claimUpTo(1)).results[0] as PackedClaims, 'r', kept);
  return claims[0] as Claim;
}

const finish = (of: Claim): Call => callOf('finish', of.lease, anEnd(of));

function append(of: Claim, step?: number): Call {
  const journal = step === undefined ? [] : [{ step, kind: 'answer' as const, body: '{}' }];
  return callOf('append', of.lease, { frames: [aFrame(of)], journal });
}

describe('SqliteStateMachine', () => {
  it('reports a failed commit as an error, and changes nothing', () => {
    failCommits();
    const reply = write(accept(), accept());
    expect(reply.results).toEqual([]);
    expect(reply.failures).toMatchObject([
      { index: 0, unavailable: true },
      { index: 1, unavailable: true },
    ]);
    beforeCommit = () => {};
    expect(count()).toMatchObject({ queued: 0 });
    expect(write(accept()).results[0]).toMatchObject({ kind: 'accepted' });
  });

  it('accepts the same message as new after a failed commit', () => {
    const message = accept({ session: aSession('bob') });
    failCommits();
    write(message);
    beforeCommit = () => {};
    expect(write(message).results[0]).toMatchObject({ kind: 'accepted', position: 0 });
  });

  it('keeps leases across a failed commit, because their runs continue', () => {
    write(accept());
    const running = claim();
    failCommits();
    write(accept(), append(running));
    beforeCommit = () => {};
    expect(read(callOf('renew', [running.lease], 1)).results[0]).toEqual({ lost: [], cancelRequested: [] });
    expect(write(append(running)).results).toEqual([1]);
    expect(write(finish(running)).results).toEqual([2]);
  });

  it('writes the end of a message and its last frame in one transaction, whichever commit fails', () => {
    for (let attempt = 1; ; attempt++) {
      write(accept({ session: aSession(`${attempt}`) }));
      const running = claim();
      let commits = 0;
      beforeCommit = () => {
        commits++;
        if (commits === attempt) throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
      };
      const { results } = write(finish(running));
      beforeCommit = () => {};
      if (results.length > 0) break;
      expect(logOf(`s_${attempt}`)).toEqual([]);
      expect(read(callOf('renew', [running.lease], 1)).results[0]).toMatchObject({ lost: [] });
      write(finish(running));
    }
    expect(count()).toMatchObject({ queued: 0, running: 0 });
  });

  it('refuses while the database cannot grow, and recovers when it can', () => {
    const pages = opened.database.prepare('PRAGMA page_count').get()?.['page_count'] as number;
    opened.database.exec(`PRAGMA max_page_count = ${pages}`);
    const payload = { channel: 'test', sender: 'alice', content: 'x'.repeat(20_000) };
    expect(write(accept(), accept({ payload })).failures).toMatchObject([{ unavailable: true }, { unavailable: true }]);
    expect(write(accept({ payload })).failures[0]?.error.message).toBe('database or disk is full');
    opened.database.exec('PRAGMA max_page_count = 1000000');
    expect(write(accept({ payload })).failures).toEqual([]);
    expect(count()).toMatchObject({ queued: 1 });
  });

  it('refuses while the database is read-only, and reloads its state once afterwards', () => {
    for (let index = 0; index < 3; index++) write(accept());
    const prepare = opened.database.prepare.bind(opened.database);
    let readings = 0;
    opened.database.prepare = (sql, ...rest) => {
      if (sql.includes('FROM queue JOIN clients')) readings++;
      return prepare(sql, ...rest);
    };
    opened.database.exec('PRAGMA query_only = ON');
    for (let index = 0; index < 5; index++) expect(write(accept()).failures).toMatchObject([{ unavailable: true }]);
    expect(readings).toBe(0);
    opened.database.exec('PRAGMA query_only = OFF');
    expect(write(accept()).failures).toEqual([]);
    expect(readings).toBe(1);
    expect(count()).toMatchObject({ queued: 4 });
  });

  it('does not let a faulty call fail the others of its batch', () => {
    write(accept());
    const running = claim();
    const reply = write(accept(), append(running, 0), append(running, 0), accept());
    expect(reply.failures).toMatchObject([
      { index: 2, unavailable: false, error: { message: expect.stringMatching('UNIQUE') as string } },
    ]);
    expect(reply.results.map((answer) => answer !== undefined)).toEqual([true, true, false, true]);
    expect(count()).toMatchObject({ queued: 2, running: 1 });
    expect(logOf('s_alice')).toHaveLength(1);
  });

  it('refuses a frame of an unknown message', () => {
    write(accept());
    const running = claim();
    const stray = aFrame(running, '', { messageRef: 'nonsense' });
    expect(write(callOf('append', running.lease, { frames: [stray], journal: [] })).failures).toMatchObject([
      { unavailable: false },
    ]);
    expect(logOf('s_alice')).toEqual([]);
  });

  it('does not count a run as interrupted that continues while the state is reloaded', () => {
    write(accept());
    const running = claim();
    failCommits();
    write(accept());
    beforeCommit = () => {};
    expect(write(claimUpTo(9)).results[0]).toEqual([[], undefined]);
    write(callOf('release', running.lease));
    expect(claim()).toMatchObject({ interruptions: 0, attempt: 2 });
  });

  it.each([86_400_000, -86_400_000])('[N-01] retries on time although the clock is set by %d ms', (ms) => {
    write(accept());
    write(callOf('release', claim().lease, now + 1_000));
    const claimAt = (elapsed: number) =>
      machine.run({ kind: 'write', now: now + ms + elapsed, elapsed: now + elapsed, calls: [claimUpTo(1)] }).results[0];
    const [waiting, dueAt] = claimAt(999) as PackedClaims;
    expect([waiting, dueAt]).toEqual([[], now + ms + 1_000]);
    expect((claimAt(1_000) as PackedClaims)[0]).toHaveLength(1);
  });

  it('resumes as interrupted, with a higher epoch, the runs of an earlier owner of the database', () => {
    write(accept());
    const before = claim();
    machine = new SqliteStateMachine(opened.database, { now, elapsed: now });
    const after = claim();
    expect(after).toMatchObject({ interruptions: 1, attempt: 2 });
    expect(after.lease.epoch).toBeGreaterThan(before.lease.epoch);
  });

  it('resumes a run that began in the batch that accepted its message', () => {
    write(accept(), claimUpTo(1));
    machine = new SqliteStateMachine(opened.database, { now, elapsed: now });
    expect(claim()).toMatchObject({ interruptions: 1, attempt: 2 });
  });

  it('cancels a message in the batch that accepts it, running or not', () => {
    const cancel = callOf('cancel', { by: 'session', tenant: 'default', sessionId: 's_alice' }, now);
    write(accept(), cancel);
    write(accept(), claimUpTo(1), cancel);
    machine = new SqliteStateMachine(opened.database, { now, elapsed: now });
    expect(claim()).toMatchObject({ cancelRequested: true });
    expect(count()).toMatchObject({ queued: 0, running: 1 });
  });

  it('gives a message as it is after the batch that accepted it was repeated call by call', () => {
    write(accept());
    const running = claim();
    const payload = { channel: 'test', sender: 'bob', content: 'hello' };
    write(accept({ session: aSession('bob'), payload }), append(running, 0), append(running, 0));
    write(accept({ session: aSession('cleo') }));
    expect(claim()).toMatchObject({ session: { id: 's_bob' }, message: { sessionId: 's_bob', payload } });
    expect(claim()).toMatchObject({ session: { id: 's_cleo' }, message: { sessionId: 's_cleo' } });
  });

  it('gives the agent of a session as it is stored, whatever a later message names', () => {
    write(accept());
    expect(write(accept({ session: { ...aSession(), agent: 'ops' } })).results[0]).toMatchObject({ agent: 'main' });
  });

  it('checks that it can commit with a write, unless a commit has just succeeded', () => {
    const checkedAt = () => opened.database.prepare('SELECT checked_at FROM gateway').get()?.['checked_at'];
    write(callOf('check'));
    expect(checkedAt()).toBe(now);
    now += 500;
    write(callOf('check'));
    expect(checkedAt()).toBe(now - 500);
    write(accept());
    now += 900;
    write(callOf('check'));
    expect(checkedAt()).toBe(now - 1_400);
    now += 100;
    failCommits();
    expect(write(callOf('check')).failures).toMatchObject([{ unavailable: true }]);
    beforeCommit = () => {};
    expect(write(callOf('check')).failures).toEqual([]);
    expect(checkedAt()).toBe(now);
  });

  it('does not accept an empty transaction as a proof', () => {
    const checkedAt = () => opened.database.prepare('SELECT checked_at FROM gateway').get()?.['checked_at'];
    write(claimUpTo(1));
    write(callOf('check'));
    expect(checkedAt()).toBe(now);
  });
});
