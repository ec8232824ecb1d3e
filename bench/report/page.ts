import { cpus, totalmem } from 'node:os';
import type { Figure } from '../figures.ts';
import type { Measurements } from './results.ts';
import { format, judge } from './table.ts';

const WORDS = { stretch: 'yes, beyond', goal: 'yes', missed: '**no**' } as const;

/** `docs/benchmarks.md`: what was measured, how, and what is missed. */
export function buildPage(figures: readonly Figure[], measurements: Measurements): string {
  const ids = new Set(figures.map(({ id }) => id));
  const rows = figures.flatMap((figure) => {
    const summary = measurements[figure.id];
    if (!summary) return [];
    const { median, min, max, rounds } = summary;
    const value = format(median, figure.unit);
    const cells = [
      figure.id,
      figure.title,
      value,
      `${format(min)} to ${format(max)} (${rounds.length})`,
      format(figure.goal),
      format(figure.stretch),
      WORDS[judge(figure, median)],
    ];
    return [`| ${cells.join(' | ')} |`];
  });
  const missed = figures.flatMap(({ id, cost, ...figure }) => {
    const summary = measurements[id];
    return summary && cost !== undefined && judge({ id, ...figure }, summary.median) === 'missed'
      ? [`- **${id}**: ${cost}.`]
      : [];
  });
  const details = Object.entries(measurements).flatMap(([name, { median }]) =>
    ids.has(name) ? [] : [`| ${name} | ${format(median)} |`],
  );
  return `# Benchmarks

Made by \`npm run bench\`; do not edit. Run it on your own machine: it stays on loopback, takes some minutes, ends by
itself, and writes this page, its plot and \`bench/results.json\` anew.

![Each figure as a part of its goal](benchmarks.svg)

Bars show the median as a part of the goal (shorter is better), thin lines the spread over the rounds, dotted ticks the
stretch goal. Green is beyond the stretch goal, blue within the goal, orange misses it.

| | what | median | spread (rounds) | goal | stretch | reached |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${missed.length > 0 ? `## What is missed, and where it goes\n\n${missed.join('\n')}\n\n` : ''}## How it is measured

- Ratios, since wall times on a shared machine say little: the CPU of the server process with all its threads and
  children, over the same of a yardstick that ran beside it in the same round. Rounds are interleaved; the median counts.
- The gateway is what \`openclaw start\` runs: authenticated, validating, routing, deduplicating, queueing, every
  acknowledgement after a SQLite commit at \`synchronous=FULL\` on the real disk. Only limits that would stop a benchmark
  are raised.
- The yardstick is \`ws\` alone: it parses each message and answers, keeps nothing, checks nothing.
- The load is a process of its own on bare sockets: 32 connections, eight people on each, messages of 330 bytes. Each
  connection sends as many new messages as it has just got answers (256 or 3,200 unanswered altogether).
- G1, G2, G9: the agent is kept busy by one long turn, so that acknowledging is all that is measured. G3: the same load
  until the end of each turn. G4: wall time, turns taken with the yardstick on the same disk. G5: three bursts of 500
  blocks to 200 readers of one session, with the turn and its commits. G6: resident memory before and after 5,000
  more connections than the first 1,000. G7, G8: until the line that says it is ready, with a new database. G10: each of
  the frames below is sent several times to a gateway that watches its event loop; of each the least counts, since the
  machine's own pauses only add, and of all frames the worst.

## Details

| | median |
|---|---|
${details.join('\n')}

Measured with Node ${process.versions.node} on ${process.platform} ${process.arch}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB.
`;
}
