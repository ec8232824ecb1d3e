import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';

/** The young generation grows while its half is smaller than this, in bytes. V8's own limit is 32 MiB. */
const YOUNG_BYTES = 8_388_608;

/** The same in heaps of threads that start later, such as the store's, in MiB. It does not change. */
const THREAD_YOUNG_MIB = 4;

/** Growth of the old generation after which it is collected, in percent. V8 plans for the memory of the whole machine. */
const OLD_GROWTH_PERCENT = 50;

/** Flags of Node by which an operator sizes the heap. */
const OWN_SIZES = /--(max|min)[-_]semi[-_]space|--semi[-_]space[-_]growth|--heap[-_]growing/;

/**
 * Limits what garbage adds to the resident memory of this process, from now on: a burst would otherwise make the young
 * generation 64 MiB large, and let the old one grow to several times of what is in use. Does nothing when the process
 * was started with flags for that.
 */
export function limitHeap(): void {
  if (OWN_SIZES.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))) return;
  v8.setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  v8.setFlagsFromString(`--min-semi-space-size=${THREAD_YOUNG_MIB}`);
  v8.setFlagsFromString(`--max-semi-space-size=${THREAD_YOUNG_MIB}`);
  let canGrow = true;
  // V8 reads the sizes only when it creates a heap, but the factor of growth at each collection. It shrinks the young
  // generation of a process that rests, which must be able to grow again.
  const observer = new PerformanceObserver(() => {
    if (canGrow === youngCapacity() < YOUNG_BYTES) return;
    canGrow = !canGrow;
    v8.setFlagsFromString(`--semi-space-growth-factor=${canGrow ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** Returns how much fits into the young generation between two collections, in bytes. */
function youngCapacity(): number {
  const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  return young ? young.space_used_size + young.space_available_size : 0;
}
