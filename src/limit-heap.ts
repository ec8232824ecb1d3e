import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';

/** The young generation grows while its half is smaller than this, in bytes. V8's own limit is 32 MiB. */
const YOUNG_BYTES = 8_388_608;

/** The same in heaps of threads that start later, such as the store's, in MiB. It does not change. */
const THREAD_YOUNG_MIB = 4;

/** Growth of the old generation after which it is collected, in percent. V8 plans for the memory of the whole machine. */
const OLD_GROWTH_PERCENT = 50;

/** The same in a large heap. In a small one it would cost more processor time than it saves memory. */
const LARGE_GROWTH_PERCENT = 20;

/** Size above which a heap is large, in bytes. A busy gateway without attackers stays below it. */
const LARGE_HEAP_BYTES = 75_497_472;

/** Interval at which the size of the heap is looked at, in milliseconds. */
const ADAPT_MS = 1_000;

/** Free pages of large objects that V8 may keep, in MiB. A large frame is up to two such objects. */
const LARGE_POOL_MIB = 4;

/** Time for which V8 keeps free pages, in seconds. */
const POOL_SECONDS = 1;

/** The V8 of older versions has no flags for the pages that it keeps, and reports unknown ones. */
const HAS_POOL = Number.parseInt(process.versions.node) >= 26;

/** Time at rest after which memory is returned to the system, in milliseconds. */
const REST_MS = 5_000;

/** Share of a processor below which the event loop is at rest. */
const REST_SHARE = 0.2;

/** A heap with buffers below this size is not made smaller at rest: what would be returned is soon needed again. In bytes. */
const SMALL_HEAP_BYTES = 67_108_864;

/** Size above which a heap saves memory while the process works, and below which it no longer does, in bytes. */
const SAVE_ABOVE_BYTES = 88_080_384;
const SAVE_DOWN_TO_BYTES = 71_303_168;

/** Growth of buffers above which V8 starts a collection in small steps, 64 MiB, and some more. In bytes. */
const COLLECTED_GROWTH_BYTES = 83_886_080;

/** Flags of Node that size the young generation: of bin/launch.js, or of the operator. */
const YOUNG_FLAGS = /--(max|min)[-_]semi[-_]space|--semi[-_]space[-_]growth/;

/** The flag of bin/launch.js, which is for the first heap alone. */
const LAUNCH_FLAG = /--max-semi-space-size=8(?!\d)/;

/** Flag of Node for the size at which young generations begin. V8 does not exceed the maximum for it. */
const FIRST_YOUNG_FLAGS = /--min[-_]semi[-_]space/;

/** Flag of Node by which an operator sizes the old generation. */
const OLD_FLAGS = /--heap[-_]growing/;

/**
 * Limits what garbage adds to the resident memory of this process, from now on: a burst would otherwise make the young
 * generation 64 MiB large, and let the old one grow to several times of what is in use. Returns free memory to the system
 * when the process rests. Leaves the sizes that flags of Node have set.
 * @param restMs time at rest after which memory is returned, in milliseconds
 */
export function limitHeap(restMs = REST_MS): void {
  const given = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ');
  if (!OLD_FLAGS.test(given)) limitOld();
  if (!FIRST_YOUNG_FLAGS.test(given)) v8.setFlagsFromString(`--min-semi-space-size=${THREAD_YOUNG_MIB}`);
  if (!YOUNG_FLAGS.test(given.replace(LAUNCH_FLAG, ''))) {
    v8.setFlagsFromString(`--max-semi-space-size=${THREAD_YOUNG_MIB}`);
    if (!LAUNCH_FLAG.test(given)) limitYoung();
  }
  limitPool();
  saveMemory(restMs);
}

/** By itself V8 keeps pages that a collection has freed for 8 seconds, those of large objects up to 32 MiB. */
function limitPool(): void {
  if (!HAS_POOL) return;
  v8.setFlagsFromString(`--max-large-page-pool-size=${LARGE_POOL_MIB}`);
  v8.setFlagsFromString(`--memory-pool-timeout=${POOL_SECONDS}`);
}

/** V8 reads the growth at each collection. */
function limitOld(): void {
  let percent: number | undefined;
  const adapt = () => {
    const isLarge = v8.getHeapStatistics().total_heap_size > LARGE_HEAP_BYTES;
    const wanted = isLarge ? LARGE_GROWTH_PERCENT : OLD_GROWTH_PERCENT;
    if (wanted !== percent) v8.setFlagsFromString(`--heap-growing-percent=${(percent = wanted)}`);
  };
  adapt();
  setInterval(adapt, ADAPT_MS).unref();
}

function limitYoung(): void {
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

/**
 * Lets V8 save memory while its heap is large, and while the process rests: it then collects in small steps, compacts, and
 * returns free memory at once. A smaller heap that works would lose throughput. By itself V8 does not notice the rest: it knows the
 * rate of allocation at the last collection only.
 */
function saveMemory(restMs: number): void {
  v8.setFlagsFromString(`--memory-reducer-delay-ms=${restMs}`);
  v8.setFlagsFromString(`--gc-memory-reducer-start-delay-ms=${restMs}`);
  let before = performance.eventLoopUtilization();
  let busyAt = performance.now();
  let saves = false;
  let rested = false;
  const adapt = () => {
    const now = performance.eventLoopUtilization();
    if (performance.eventLoopUtilization(now, before).utilization >= REST_SHARE) busyAt = performance.now();
    before = now;
    const { total_heap_size, external_memory } = v8.getHeapStatistics();
    const isLarge = total_heap_size > (saves ? SAVE_DOWN_TO_BYTES : SAVE_ABOVE_BYTES);
    const rests = performance.now() - busyAt >= restMs && total_heap_size + external_memory > SMALL_HEAP_BYTES;
    if (saves !== (isLarge || rests)) setSaving((saves = !saves));
    // A heap that has saved memory while it worked has had V8's own collections of a rest.
    if (rests && !rested) startCollection();
    rested = rests;
  };
  setInterval(adapt, Math.min(ADAPT_MS, restMs)).unref();
}

function setSaving(saves: boolean): void {
  v8.setFlagsFromString(saves ? '--memory-saver-mode' : '--no-memory-saver-mode');
  if (HAS_POOL) v8.setFlagsFromString(saves ? '--no-memory-pool' : '--memory-pool');
}

/** Starts a collection in small steps. A buffer that nothing writes to takes no memory. */
function startCollection(): void {
  try {
    void new ArrayBuffer(COLLECTED_GROWTH_BYTES);
  } catch {
    // The system allows no more address space: V8 collects when it needs some.
  }
}

/** Returns how much fits into the young generation between two collections, in bytes. */
function youngCapacity(): number {
  const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  return young ? young.space_used_size + young.space_available_size : 0;
}
