import { beforeEach, expect, it } from 'vitest';
import { TurnSlots, type SlottedRun } from './turn-slots.js';

let slots: TurnSlots<SlottedRun>;
let log: string[];
const never = new AbortController().signal;

beforeEach(() => {
  slots = new TurnSlots(() => 1);
  log = [];
});

/** Adds a run of the message `m_NAME` in the session `s_NAME`. */
function run(name: string): SlottedRun {
  const lease = { sessionId: `s_${name}`, replicaId: 'r', epoch: 1, messageRef: `m_${name}` };
  const added = { claim: { lease } };
  slots.add(added);
  return added;
}
const goOn = (name: string, of: SlottedRun, wait: 'a person' | 'a turn inside' = 'a person', signal = never) =>
  slots.returnFrom(of, wait, signal).then(() => void log.push(name));
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('[Z-32] several turns inside one count as one, until all of them wait for people', async () => {
  const main = run('main');
  const leaves = ['a', 'b'].map((name) => slots.enterInside(`s_${name}`, 'm_main'));
  const [a, b] = [run('a'), run('b')];
  expect(slots.free).toBe(0);
  slots.leave(a);
  expect(slots.free).toBe(0);
  slots.leave(b);
  expect(slots.free).toBe(1);
  await goOn('a', a);
  expect([slots.free, log]).toEqual([0, ['a']]);
  slots.remove(a);
  leaves[0]!();
  expect(slots.free).toBe(1);
  await goOn('main', main, 'a turn inside');
  expect(slots.free).toBe(0);
});

it('[Z-32] a slot that a claim under way will take is not given to a turn that returns', async () => {
  const waiting = run('a');
  slots.leave(waiting);
  slots.reserve(1);
  const returned = goOn('a', waiting);
  await settled();
  expect(log).toEqual([]);
  slots.reserve(0);
  const other = run('b');
  slots.settle();
  await settled();
  expect(log).toEqual([]);
  slots.remove(other);
  slots.settle();
  await returned;
});

it('[Z-32] a turn that runs in a slot of its own frees it when the turn that asked it comes back', async () => {
  const asked = run('a');
  slots.leave(asked);
  const main = run('main');
  const returned = goOn('a', asked);
  await settled();
  expect([slots.free, log]).toEqual([0, []]);
  slots.enterInside('s_a', 'm_main');
  slots.settle();
  await returned;
  expect(slots.free).toBe(0);
  slots.remove(asked);
  slots.remove(main);
  expect(slots.free).toBe(1);
});

it('[Z-32] a turn that is stopped waits for no slot', async () => {
  const stop = new AbortController();
  const [a, b] = [run('a'), run('b')];
  slots.leave(a);
  const returned = goOn('a', a, 'a person', stop.signal);
  stop.abort();
  await returned;
  slots.leave(b);
  await goOn('b', b, 'a person', AbortSignal.abort());
  expect(log).toEqual(['a', 'b']);
});

it('[Z-32] a lower number of slots lets all turns that work go on, and nothing new until they are fewer', async () => {
  let size = 2;
  slots = new TurnSlots(() => size);
  const [a, b] = [run('a'), run('b')];
  size = 1;
  expect(slots.free).toBe(-1);
  slots.leave(a);
  const returned = goOn('a', a);
  slots.settle();
  await settled();
  expect([slots.free, log]).toEqual([0, []]);
  slots.remove(b);
  slots.settle();
  await returned;
});

it('[Z-32] a turn waits in its slot when too many others wait without one, and goes on when its own wait is over', async () => {
  slots = new TurnSlots(() => 2, 1);
  const [a, b] = [run('a'), run('b')];
  expect([slots.leave(a), slots.free]).toEqual([true, 1]);
  expect([slots.leave(b), slots.free]).toEqual([false, 1]);
  await goOn('b', b);
  expect([slots.free, log]).toEqual([1, ['b']]);
  await goOn('a', a);
  expect([slots.free, log]).toEqual([0, ['b', 'a']]);
  expect([slots.leave(b), slots.free]).toEqual([true, 1]);
});
