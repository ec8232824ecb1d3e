/**
 * `npm run bench [-- [--quick] [--rounds N] [--out FILE] [FIGURE...]]`: measures the figures of docs/benchmarks.md on
 * this machine. Figures that are not measured keep their last value. With `--quick` or `--out` the page is not
 * rewritten. Everything stays on loopback, is bounded in count and time, and ends by itself.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { figures } from './figures.ts';
import { buildPage } from './report/page.ts';
import { plot } from './report/plot.ts';
import { printTable } from './report/table.ts';
import { readResults, writeResults } from './report/results.ts';
import { scenarios } from './scenarios/index.ts';
import { summarise } from './statistics.ts';

const FULL_ROUNDS = 5;
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, out: { type: 'string' } },
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
    process.stderr.write(`round ${round} of ${rounds}: ${scenario.name}\n`);
    for (const [name, value] of Object.entries(await scenario.measure(size))) {
      measured.set(name, [...(measured.get(name) ?? []), value]);
    }
  }
}

const measurements = Object.fromEntries([...measured].map(([name, all]) => [name, summarise(all)]));
process.stdout.write(printTable(figures, measurements));
const results = { ...readResults(values.out), ...measurements };
writeResults(results, values.out);
// A quick run only shows that everything works; its numbers are not published.
if (!isQuick && values.out === undefined) {
  writeFileSync(path('../docs/benchmarks.md'), buildPage(figures, results));
  writeFileSync(path('../docs/benchmarks.svg'), plot(figures, results));
}
process.exit();
