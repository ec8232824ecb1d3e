import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIORITIES, type Priority } from '../../../core/store/index.js';
import { LaneIndex, type LaneMessage } from './lane-index.js';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 200);

function indexOf(...messages: [ord: number, session: string, priority?: Priority][]): LaneIndex<LaneMessage> {
  const index = new LaneIndex<LaneMessage>();
  for (const [ord, session, priority = 1] of messages) index.enqueue({ ord, session, priority });
  return index;
}

function takeAll(index: LaneIndex<LaneMessage>, now = 0): number[] {
  const taken: number[] = [];
  for (let message = index.take(now); message; message = index.take(now)) taken.push(message.ord);
  return taken;
}

/** Runs all messages to their ends, one after the other. */
function drain(index: LaneIndex<LaneMessage>): number[] {
  const order: number[] = [];
  for (let message = index.take(0); message; message = index.take(0)) {
    order.push(message.ord);
    index.remove(message.ord);
  }
  return order;
}

describe('LaneIndex', () => {
  it('runs one message of a session at a time, and sessions in parallel', () => {
    const index = indexOf([1, 'a'], [2, 'a'], [3, 'b']);
    expect(takeAll(index)).toEqual([1, 3]);
    index.remove(1);
    expect(takeAll(index)).toEqual([2]);
  });

  it('runs the highest priority first and within a priority the oldest', () => {
    expect(drain(indexOf([1, 'a', 1], [2, 'a', 10], [3, 'a', 5], [4, 'a', 10], [5, 'a', 1]))).toEqual([2, 4, 3, 1, 5]);
  });

  it('orders ready sessions by the priority, then by the age of their next message', () => {
    expect(takeAll(indexOf([1, 'a', 1], [2, 'b', 10], [3, 'c', 5], [4, 'd', 10], [5, 'b', 10]))).toEqual([2, 4, 3, 1]);
  });

  it('runs one message of a lower priority after four of a higher one, so that mentions starve no others', () => {
    const index = indexOf([1, 'low', 1], [2, 'middle', 5]);
    for (let ord = 10; ord < 30; ord++) index.enqueue({ ord, session: `s${ord}`, priority: 10 });
    const order = takeAll(index);
    expect(order.slice(0, 6)).toEqual([10, 11, 12, 13, 1, 2]);
    expect(order.slice(6)).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  it('counts only claims during which a lower one waited', () => {
    const index = new LaneIndex<LaneMessage>();
    for (let ord = 1; ord <= 8; ord++) index.enqueue({ ord, session: `s${ord}`, priority: 10 });
    for (let count = 0; count < 4; count++) index.take(0);
    index.enqueue({ ord: 9, session: 'late', priority: 1 });
    expect(takeAll(index)).toEqual([5, 6, 7, 8, 9]);
  });

  it('takes the next message of one session, whatever waits in others, unless one of it runs or waits for its retry', () => {
    const index = indexOf([1, 'a', 10], [2, 'b', 1], [3, 'b', 5]);
    expect(index.takeIn('b', 0)?.ord).toBe(3);
    expect(index.takeIn('b', 0)).toBeUndefined();
    index.release(3, 50);
    expect([index.takeIn('b', 49), index.takeIn('b', 50)?.ord]).toEqual([undefined, 3]);
    expect([index.running, index.takeIn('none', 0)]).toEqual([1, undefined]);
    index.remove(3);
    expect(takeAll(index)).toEqual([1, 2]);
  });

  it('puts a released message before all others of its session', () => {
    const index = indexOf([1, 'a', 1]);
    index.take(0);
    index.enqueue({ ord: 2, session: 'a', priority: 10 });
    index.release(1);
    expect(index.messagesIn('a').map(({ ord }) => ord)).toEqual([1, 2]);
    expect([index.position(1), index.position(2)]).toEqual([0, 1]);
    expect(drain(index)).toEqual([1, 2]);
  });

  it('holds a session back while its message waits for a retry, and returns until when', () => {
    const index = indexOf([1, 'a'], [3, 'b']);
    index.take(0);
    index.enqueue({ ord: 2, session: 'a', priority: 10 });
    index.release(1, 500);
    expect(index.nextDueAt).toBe(500);
    expect(takeAll(index, 499)).toEqual([3]);
    expect(takeAll(index, 500)).toEqual([1]);
    expect(index.nextDueAt).toBeUndefined();
    index.remove(1);
    expect(takeAll(index, 500)).toEqual([2]);
  });

  it('runs a message that waits for a retry at once when it is hurried', () => {
    const index = indexOf([1, 'a']);
    index.take(0);
    index.release(1, 500);
    index.hurry(1);
    expect(takeAll(index, 1)).toEqual([1]);
  });

  it('returns how many messages wait ahead of a new one, without the running one', () => {
    const index = indexOf([1, 'a'], [2, 'a'], [3, 'a', 10]);
    index.take(0);
    expect(index.enqueue({ ord: 4, session: 'a', priority: 10 })).toBe(0);
    expect(index.enqueue({ ord: 5, session: 'a', priority: 5 })).toBe(1);
    expect(index.enqueue({ ord: 6, session: 'a', priority: 1 })).toBe(4);
  });

  it('drops a session with its last message', () => {
    const index = indexOf([1, 'a'], [2, 'b']);
    index.take(0);
    index.remove(1);
    index.remove(2);
    expect([index.countIn('a'), index.countIn('b'), index.size, index.running]).toEqual([0, 0, 0, 0]);
  });

  it('ignores unknown messages', () => {
    const index = indexOf([1, 'a']);
    index.release(1);
    index.release(7);
    index.hurry(1);
    index.remove(7);
    expect([index.find(7), index.position(7), index.countIn('z'), index.messagesIn('z')]).toEqual([
      undefined,
      0,
      0,
      [],
    ]);
    expect(takeAll(index)).toEqual([1]);
  });

  it('visits no other message when one is added or taken at a depth of 20,000', () => {
    const visited = new Set<number>();
    const watched = (ord: number): LaneMessage =>
      Object.defineProperty({ session: 'a', priority: 1 } as LaneMessage, 'ord', {
        get: () => {
          visited.add(ord);
          return ord;
        },
      });
    const index = new LaneIndex<LaneMessage>();
    for (let ord = 1; ord <= 20_000; ord++) index.enqueue(watched(ord));
    visited.clear();
    index.enqueue(watched(20_001));
    index.take(0);
    index.remove(10_000);
    expect(visited.size).toBeLessThan(5);
  });
});

type Step =
  | { readonly do: 'enqueue'; readonly session: number; readonly priority: Priority }
  | { readonly do: 'take' }
  | { readonly do: 'release' | 'remove' | 'hurry'; readonly pick: number; readonly delay: number };

describe('LaneIndex against a plain list', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('enqueue' as const),
        session: fc.nat(4),
        priority: fc.constantFrom(...PRIORITIES),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('release' as const, 'remove' as const, 'hurry' as const),
        pick: fc.nat(),
        delay: fc.nat(3),
      }),
    },
  );

  it('gives the same order, positions and counts for all sequences of steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const index = new LaneIndex<LaneMessage>();
        const list = new PlainList();
        let now = 1;
        steps.forEach((each, at) => {
          now++;
          const [answer, wanted] = perform(each, at, now, index, list);
          expect(answer).toBe(wanted);
          expect(list.ords.map((ord) => index.position(ord))).toEqual(list.ords.map((ord) => list.position(ord)));
          expect([index.size, index.running]).toEqual([list.ords.length, list.running]);
          for (let session = 0; session <= 4; session++) {
            expect(index.messagesIn(session).map(({ ord }) => ord)).toEqual(list.inOrder(session));
          }
        });
      }),
      { numRuns: RUNS },
    );
  });
});

/** Applies one step to both and returns both results. */
function perform(
  step: Step,
  at: number,
  now: number,
  index: LaneIndex<LaneMessage>,
  list: PlainList,
): [unknown, unknown] {
  if (step.do === 'enqueue') {
    const message = { ord: at, session: step.session, priority: step.priority };
    return [index.enqueue(message), list.enqueue(message)];
  }
  if (step.do === 'take') return [index.take(now)?.ord, list.take(now)];
  const ord = list.ords[step.pick % list.ords.length] ?? -1;
  for (const either of [index, list]) {
    if (step.do === 'release') either.release(ord, step.delay && now + step.delay);
    else either[step.do](ord);
  }
  return [undefined, undefined];
}

/** A model of the index that sorts everything each time. */
class PlainList {
  private readonly entries: (LaneMessage & { state: 'waits' | 'runs' | 'first'; notBefore: number })[] = [];
  private readonly watched = new Map<Priority, number>();

  get ords(): number[] {
    return this.entries.map(({ ord }) => ord);
  }

  get running(): number {
    return this.entries.filter(({ state }) => state === 'runs').length;
  }

  enqueue(message: LaneMessage): number {
    this.entries.push({ ...message, state: 'waits', notBefore: 0 });
    return this.position(message.ord);
  }

  take(now: number): number | undefined {
    const heads = [...new Set(this.entries.map(({ session }) => session))]
      .map((session) => this.sorted(session)[0])
      .filter((head) => head !== undefined)
      .filter((head) => head.state !== 'runs' && head.notBefore <= now)
      .sort((one, other) => one.ord - other.ord);
    const waiting = PRIORITIES.filter((priority) => heads.some((head) => head.priority === priority));
    const priority = waiting.findLast((each) => (this.watched.get(each) ?? 0) >= 4) ?? waiting[0];
    if (priority === undefined) return undefined;
    for (const each of PRIORITIES) {
      const watches = each < priority && waiting.includes(each);
      if (each <= priority) this.watched.set(each, watches ? (this.watched.get(each) ?? 0) + 1 : 0);
    }
    const next = heads.find((head) => head.priority === priority);
    if (next) Object.assign(next, { state: 'runs', notBefore: 0 });
    return next?.ord;
  }

  release(ord: number, notBefore: number): void {
    const entry = this.entries.find((each) => each.ord === ord);
    if (entry?.state === 'runs') Object.assign(entry, { state: 'first', notBefore });
  }

  hurry(ord: number): void {
    const entry = this.entries.find((each) => each.ord === ord);
    if (entry) entry.notBefore = 0;
  }

  remove(ord: number): void {
    const at = this.entries.findIndex((each) => each.ord === ord);
    if (at !== -1) this.entries.splice(at, 1);
  }

  position(ord: number): number {
    const entry = this.entries.find((each) => each.ord === ord);
    if (!entry || entry.state === 'runs') return 0;
    return this.sorted(entry.session)
      .filter(({ state }) => state !== 'runs')
      .indexOf(entry);
  }

  inOrder(session: number | string): number[] {
    return this.sorted(session).map(({ ord }) => ord);
  }

  private sorted(session: number | string) {
    const rank = { runs: 0, first: 1, waits: 2 };
    return this.entries
      .filter((entry) => entry.session === session)
      .sort(
        (one, other) =>
          rank[one.state] - rank[other.state] ||
          (one.state === 'waits' ? other.priority - one.priority : 0) ||
          one.ord - other.ord,
      );
  }
}
