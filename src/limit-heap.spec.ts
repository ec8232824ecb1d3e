import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** Not a module of the gateway's sources, so it has no types. */
const { findMemoryOptions } = (await import(new URL('../bin/launch.js', import.meta.url).href)) as {
  readonly findMemoryOptions: (flags: readonly string[], environment: object) => { readonly flags: readonly string[] };
};

const MODULE = fileURLToPath(new URL('./limit-heap.ts', import.meta.url));

/** Prints how much fits into the young generation of its thread, in MiB. */
const PRINT_YOUNG = `
  import v8 from 'node:v8';
  const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
  console.log((young.space_used_size + young.space_available_size) / 1_048_576);`;

/** A load under which 50,000 objects live at any time. */
const LOAD = `
  const live = [];
  for (let i = 0; i < 1_500_000; i++) {
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    live[i % 50_000] = { text: 'x' + i, list: [i] };
  }`;

/** The same load, with 100 MiB of objects that live: more than any limit, whenever V8 collects on a busy machine. */
const LARGE_LOAD = LOAD.replaceAll('50_000', '750_000');

/** Runs a module in a process of its own. Returns the number that it prints. */
function run(script: string, flags: readonly string[] = []): number {
  const source = `import { limitHeap } from ${JSON.stringify(MODULE)};\n${script}`;
  const args = [...flags, '--input-type=module', '--eval', source];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8', env: {} }));
}

it('the young generation of a limited heap stays small under load', () => {
  expect(run(LOAD + PRINT_YOUNG)).toBeGreaterThan(16);
  expect(run(`limitHeap(); ${LOAD + PRINT_YOUNG}`)).toBeLessThanOrEqual(16);
});

it('a thread that starts later has a young generation of 4 MiB from its start', () => {
  const thread = `new Worker(${JSON.stringify(PRINT_YOUNG)}, { eval: true });`;
  const script = `import { Worker } from 'node:worker_threads'; limitHeap(); ${thread}`;
  expect(run(script)).toBeCloseTo(4);
  expect(run(script, ['--max-semi-space-size=4'])).toBeCloseTo(4);
});

it('a thread has a young generation of 4 MiB under load, also beside the one of bin/launch.js', () => {
  const thread = `new Worker(${JSON.stringify(LOAD + PRINT_YOUNG)}, { eval: true });`;
  const script = `import { Worker } from 'node:worker_threads'; limitHeap(); ${thread}`;
  const [flag = ''] = findMemoryOptions([], {}).flags;
  expect(run(script, [flag])).toBeCloseTo(4);
  expect(run(script, ['--max-semi-space-size=24'])).toBeGreaterThan(16);
  expect(run(`limitHeap(); ${LOAD + PRINT_YOUNG}`, [flag])).toBeCloseTo(8);
});

it('few pages of large objects that are gone stay in memory', () => {
  // What V8 has from the system beyond its heap: the pages that it keeps.
  const load = `
    import v8 from 'node:v8';
    const kept = () => (process.memoryUsage.rss() - v8.getHeapStatistics().total_physical_size) / 1_048_576;
    const before = kept();
    const live = [];
    let sum = 0;
    for (let i = 0; i < 3_000; i++) {
      live[i % 50] = new Array(25_000).fill(i);
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i >= 1_000) sum += kept() - before;
    }
    console.log(sum / 2_000);`;
  // On average: a thread of V8 frees pages late on a busy machine.
  expect(run(`limitHeap(); ${load}`)).toBeLessThan(run(load) / 2);
});

it('a heap saves memory while it works only if it is large', () => {
  const watch = `
    import v8 from 'node:v8';
    const { setFlagsFromString } = v8;
    let saves = 0;
    v8.setFlagsFromString = (flag) => {
      if (flag.endsWith('memory-saver-mode')) saves = flag === '--memory-saver-mode' ? 1 : 0;
      setFlagsFromString(flag);
    };
    limitHeap(100);`;
  const print = 'console.log(saves);';
  expect(run(watch + LOAD + print)).toBe(0);
  expect(run(watch + LARGE_LOAD + print)).toBe(1);
});

it('memory that a burst has used returns to the system at rest', () => {
  const rest = `
    import v8 from 'node:v8';
    const until = performance.now() + 10_000;
    const mib = () => v8.getHeapStatistics().total_heap_size / 1_048_576;
    if (mib() < 70) throw new Error('the load did not fill the heap');
    live.length = 0;
    while (mib() > 64 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(mib());`;
  // V8 begins to wait for the rest before the module is loaded.
  const flags = ['--memory-reducer-delay-ms=100', '--gc-memory-reducer-start-delay-ms=100'];
  expect(run(`limitHeap(100); ${LARGE_LOAD + rest}`, flags)).toBeLessThan(64);
});

it('buffers that nothing uses any more are freed at rest', () => {
  const load = `
    const live = [];
    for (let i = 0; i < 4_000; i++) {
      live[i % 500] = new ArrayBuffer(262_144);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    live.length = 0;
    const until = performance.now() + 10_000;
    const mib = () => process.memoryUsage().arrayBuffers / 1_048_576;
    if (mib() < 100) throw new Error('the load did not fill the memory');
    while (mib() > 64 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(mib());`;
  const flags = ['--memory-reducer-delay-ms=100', '--gc-memory-reducer-start-delay-ms=100'];
  expect(run(`limitHeap(100); ${load}`, flags)).toBeLessThan(64);
});

it('sizes that the operator has given to Node stay in force', () => {
  expect(run(`limitHeap(); ${LOAD + PRINT_YOUNG}`, ['--max-semi-space-size=24'])).toBeGreaterThan(16);
});
