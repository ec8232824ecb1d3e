/**
 * Loaded into the gateway before everything else (`node --import`): measures how long the event loop is blocked, by
 * scheduling a callback in every iteration. Replies to its parent's messages.
 */

let longestMs = 0;
let turnedAt = performance.now();

function turn(): void {
  const now = performance.now();
  longestMs = Math.max(longestMs, now - turnedAt);
  turnedAt = now;
  setImmediate(turn);
}

const OBJECTS = `[${'{"key":"value","n":1},'.repeat(3_000)}`.slice(0, 65_536).replace(/,[^,]*,[^,]*$/, ']');

/** Returns the time to parse 64 KiB of objects, in milliseconds. */
function timeParse(): number {
  const before = performance.now();
  JSON.parse(OBJECTS);
  return performance.now() - before;
}

process.on('message', (question: 'reset' | 'longest' | 'parse') => {
  if (question === 'reset') {
    turnedAt = performance.now();
    longestMs = 0;
  }
  process.send?.(question === 'parse' ? timeParse() : longestMs);
});
turn();
