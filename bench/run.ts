/**
 * `npm run bench [-- [--quick] [--rounds N] [--out FILE] [--against FOLDER]... [FIGURE...]]`: measures the figures of
 * docs/benchmarks.md on this machine. Figures that are not measured keep their last value. `--against` measures the
 * gateway of another checkout too, in the same rounds. With `--quick`, `--out` or `--against` the page is not rewritten.
 * Everything stays on loopback, is bounded in count and time, and ends by itself.
 */
import { writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { figures } from './figures.ts';
import { buildPage } from './report/page.ts';
import { plot } from './report/plot.ts';
import { printTable } from './report/table.ts';
import { readResults, writeResults } from './report/results.ts';
import { scenarios } from './scenarios/index.ts';
import { useBuild } from './servers.ts';
import { summarise } from './statistics.ts';

const FULL_ROUNDS = 5;
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    out: { type: 'string' },
    against: { type: 'string', multiple: true, default: [] },
  },
});
const wanted = new Set(positionals.length > 0 ? positionals : figures.map(({ id }) => id));
for (const id of wanted) {
  if (!figures.some((figure) => figure.id === id))
    throw new Error(`there is no figure ${id}: ${figures.map((figure) => figure.id).join(', ')}`);
}
const isQuick = values.quick;
const rounds = Number(values.rounds ?? (isQuick ? 1 : FULL_ROUNDS));
const size = { isQuick, pick: <T>(full: T, quick: T) => (isQuick ? quick : full) };

// Processes and files of the benchmark are removed when this process exits.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));

const measured = new Map<string, number[]>();
for (let round = 1; round <= rounds; round++) {
  for (const scenario of scenarios) {
    if (!scenario.figures.some((id) => wanted.has(id))) continue;
    for (const build of [undefined, ...values.against]) {
      const mark = build === undefined ? '' : ` (${basename(build)})`;
      process.stderr.write(`round ${round} of ${rounds}: ${scenario.name}${mark}`);
      useBuild(build === undefined ? path('..') : resolve(build));
      const startedAt = performance.now();
      for (const [name, value] of Object.entries(await scenario.measure(size))) {
        measured.set(name + mark, [...(measured.get(name + mark) ?? []), value]);
      }
      process.stderr.write(`, ${Math.round((performance.now() - startedAt) / 1_000)} s\n`);
    }
  }
}

const measurements = Object.fromEntries([...measured].map(([name, all]) => [name, summarise(all)]));
process.stdout.write(printTable(figures, measurements));
// A quick run only shows that everything works; its numbers are not published.
const isPublished = !isQuick && values.out === undefined && values.against.length === 0;
const results = { ...readResults(values.out), ...measurements };
if (isPublished || values.out !== undefined) writeResults(results, values.out);
if (isPublished) {
  writeFileSync(path('../docs/benchmarks.md'), buildPage(figures, results));
  writeFileSync(path('../docs/benchmarks.svg'), plot(figures, results));
}
process.exit();
