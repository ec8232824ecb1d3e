import { beforeEach, expect, it } from 'vitest';
import { Places, type PlacedRun } from './places.js';

let places: Places<PlacedRun>;
let log: string[];
const never = new AbortController().signal;

beforeEach(() => {
  places = new Places(() => 1);
  log = [];
});

/** Adds a run of the message `m_NAME` in the session `s_NAME`. */
function run(name: string): PlacedRun {
  const lease = { sessionId: `s_${name}`, replicaId: 'r', epoch: 1, messageRef: `m_${name}` };
  const added = { claim: { lease } };
  places.add(added);
  return added;
}
const goOn = (name: string, of: PlacedRun, wait: 'a person' | 'a turn inside' = 'a person', signal = never) =>
  places.returnFrom(of, wait, signal).then(() => void log.push(name));
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('[Z-32] several turns inside one count as one, until all of them wait for people', async () => {
  const main = run('main');
  const leaves = ['a', 'b'].map((name) => places.enterInside(`s_${name}`, 'm_main'));
  const [a, b] = [run('a'), run('b')];
  expect(places.free).toBe(0);
  places.leave(a);
  expect(places.free).toBe(0);
  places.leave(b);
  expect(places.free).toBe(1);
  await goOn('a', a);
  expect([places.free, log]).toEqual([0, ['a']]);
  places.remove(a);
  leaves[0]!();
  expect(places.free).toBe(1);
  await goOn('main', main, 'a turn inside');
  expect(places.free).toBe(0);
});

it('[Z-32] a place that a claim under way will take is not given to a turn that returns', async () => {
  const waiting = run('a');
  places.leave(waiting);
  places.reserve(1);
  const returned = goOn('a', waiting);
  await settled();
  expect(log).toEqual([]);
  places.reserve(0);
  const other = run('b');
  places.settle();
  await settled();
  expect(log).toEqual([]);
  places.remove(other);
  places.settle();
  await returned;
});

it('[Z-32] a turn that runs in a place of its own frees it when the turn that asked it comes back', async () => {
  const asked = run('a');
  places.leave(asked);
  const main = run('main');
  const returned = goOn('a', asked);
  await settled();
  expect([places.free, log]).toEqual([0, []]);
  places.enterInside('s_a', 'm_main');
  places.settle();
  await returned;
  expect(places.free).toBe(0);
  places.remove(asked);
  places.remove(main);
  expect(places.free).toBe(1);
});

it('[Z-32] a turn that is stopped waits for no place', async () => {
  const stop = new AbortController();
  const [a, b] = [run('a'), run('b')];
  places.leave(a);
  const returned = goOn('a', a, 'a person', stop.signal);
  stop.abort();
  await returned;
  places.leave(b);
  await goOn('b', b, 'a person', AbortSignal.abort());
  expect(log).toEqual(['a', 'b']);
});

it('[Z-32] a lower number of places lets all turns that work go on, and nothing new until they are fewer', async () => {
  let size = 2;
  places = new Places(() => size);
  const [a, b] = [run('a'), run('b')];
  size = 1;
  expect(places.free).toBe(-1);
  places.leave(a);
  const returned = goOn('a', a);
  places.settle();
  await settled();
  expect([places.free, log]).toEqual([0, []]);
  places.remove(b);
  places.settle();
  await returned;
});
