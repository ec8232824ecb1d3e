/**
 * Loaded into the gateway before everything else (`node --import`): measures how long the event loop is blocked, by
 * scheduling a callback in every iteration. It measures the CPU of the loop's thread, because wall time also counts the
 * other processes of the machine: among the hundreds of iterations of a long reply, there is always one that was
 * interrupted. Replies to its parent's messages.
 */

let longestMs = 0;
let turnedAt = readCpuMs();

/** Returns the CPU time of this thread, in milliseconds. */
function readCpuMs(): number {
  // Linux updates the time of a thread at its clock ticks, and when the usage of the whole process is read.
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function turn(): void {
  const now = readCpuMs();
  longestMs = Math.max(longestMs, now - turnedAt);
  turnedAt = now;
  setImmediate(turn);
}

const OBJECTS = `[${'{"key":"value","n":1},'.repeat(3_000)}`.slice(0, 65_536).replace(/,[^,]*,[^,]*$/, ']');

/** Returns the time to parse 64 KiB of objects, in milliseconds. */
function timeParse(): number {
  const before = readCpuMs();
  JSON.parse(OBJECTS);
  return readCpuMs() - before;
}

process.on('message', (question: 'reset' | 'longest' | 'parse') => {
  if (question === 'reset') {
    turnedAt = readCpuMs();
    longestMs = 0;
  }
  process.send?.(question === 'parse' ? timeParse() : longestMs);
});
turn();
