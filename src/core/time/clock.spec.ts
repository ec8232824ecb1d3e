import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { DAY_MS, SystemClock, type Clock } from './clock.js';

/** The files that use system time, by name, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'clock.ts': 'implements the port',
  'sweep-budget.ts': 'measures how long a sweep holds up commits, in the thread of the store',
  'page-bounds.ts': 'measures how long a page holds up commits, in the thread of the store',
  'sweeper.ts': 'measures how long it holds up commits, in the thread of the store',
  'timers.ts': 'the port of the client, which imports nothing from the core',
  'encode.ts': 'default timestamp of a frame; the protocol imports nothing from the core, and the core passes its own',
  'turn-agent.service.ts': 'measures how long it blocks the event loop, which needs the real clock',
  'limit-heap.ts': 'watches the heap of its process, beside whatever runs there',
  'run-gateway.ts': 'a signal handler that must work in any state of the gateway',
  'run-program.ts': 'the command line: waits for a child process to end',
  'http.ts': 'the command line, a process of its own',
  'main.ts': 'ends the process of a failed command',
  'egress-fetch.ts': 'time limit of a connection to a foreign server',
  'http-traffic.service.ts': 'time-outs of sockets',
  'gateway-http.adapter.ts': 'closes sockets at the end of the process',
  'socket-server.ts': 'closes sockets at the end of the process',
  'upgrade-request.ts': 'destroys a refused socket that lingers',
  'egress-proxy.ts': 'time limits of connections to foreign servers',
  'self-test.ts': 'a script that waits within a page',
  'bubblewrap-engine.ts': 'waits for a child process',
  'docker-engine.ts': 'waits for a local daemon',
  'mcp-connection.ts': 'deadline of another process or server',
  'mcp-program.ts': 'waits for a child process',
  'tailscale-program.ts': 'waits for a child process',
  'held-program.ts': 'waits for a child process',
  'examine-tailscale.ts': 'limit for an answer of the public address',
  'http-api.ts': 'limits for answers of a platform',
  'get-json.ts': 'a limit for an answer of a model server',
  'http-files.ts': 'limits for transfers to and from a gateway',
  'model-trial.ts': 'a limit for the trial of a model',
  'doctor-services.ts': 'compares the clock of this machine with those of others',
};

const MACHINE_TIME = /Date\.now\(|new Date\(\)|performance\.now\(|\bset(Timeout|Interval)\(|AbortSignal\.timeout\(/;

describe('the clock', () => {
  it('is the only source of time, except for files with a reason', () => {
    const root = new URL('../..', import.meta.url).pathname;
    const files = globSync('**/*.ts', { cwd: root }).filter((file) => !/^(web|testing)\/|spec\.ts$/.test(file));
    const users = files
      .filter((file) => MACHINE_TIME.test(readFileSync(root + file, 'utf8')))
      .map((file) => basename(file));
    expect(users.filter((file) => !(file in EXCEPTIONS))).toEqual([]);
    expect(Object.keys(EXCEPTIONS).filter((file) => !users.includes(file))).toEqual([]);
  });

  it('ends a sleep at its time or when its signal aborts', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let awake = 0;
    void clock.sleep(10).then(() => awake++);
    void clock.sleep(1_000, stop.signal).then(() => awake++);
    await clock.advanceAsync(10);
    expect(awake).toBe(1);
    stop.abort();
    await clock.advanceAsync(0);
    expect([awake, clock.pendingTimers]).toEqual([2, 0]);
  });
});

/** A clock, and how a test makes its time pass. */
type ClockUnderTest = readonly [clock: Clock, advance: (ms: number) => void];

function manualClock(): ClockUnderTest {
  const clock = new ManualClock();
  return [clock, (ms) => clock.advance(ms)];
}

function systemClock(): ClockUnderTest {
  vi.useFakeTimers();
  return [new SystemClock(), (ms) => vi.advanceTimersByTime(ms)];
}

describe.each([
  ['ManualClock', manualClock],
  ['SystemClock', systemClock],
])('%s', (_, setUp) => {
  afterEach(() => vi.useRealTimers());

  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 40])('fires a timer of %d ms after that time, once', (delayMs) => {
    const [clock, advance] = setUp();
    let fired = 0;
    clock.setTimer(delayMs, () => fired++);
    expect(fired).toBe(0);
    advance(Math.max(0, delayMs - 1));
    expect(fired).toBe(delayMs === 0 ? 1 : 0);
    advance(1);
    advance(2 ** 32);
    expect(fired).toBe(1);
  });

  it('never fires a timer of Infinity, and cancels a long one between its steps', () => {
    const [clock, advance] = setUp();
    let fired = 0;
    clock.setTimer(Number.POSITIVE_INFINITY, () => fired++);
    const cancel = clock.setTimer(2 ** 33, () => fired++);
    advance(2 ** 32);
    cancel();
    advance(2 ** 40);
    expect(fired).toBe(0);
  });
});

describe('an alarm', () => {
  it('goes off at its wall time, and soon after it when the machine slept through it or its clock was set past it', () => {
    const clock = new ManualClock();
    const rang: string[] = [];
    clock.setAlarm(clock.now() + 60_000, () => rang.push('near'));
    clock.setAlarm(clock.now() + DAY_MS, () => rang.push('far'));
    clock.advance(59_999);
    expect(rang).toEqual([]);
    clock.advance(1);
    expect(rang).toEqual(['near']);
    clock.setWallTime(DAY_MS);
    clock.advance(10_000);
    expect(rang).toEqual(['near', 'far']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits on when the clock was set back, and rings no more once it is cancelled', () => {
    const clock = new ManualClock();
    let rang = 0;
    clock.setAlarm(clock.now() + 60_000, () => rang++);
    const cancel = clock.setAlarm(clock.now() + 60_000, () => rang++);
    clock.setWallTime(-DAY_MS);
    clock.advance(120_000);
    expect(rang).toBe(0);
    cancel();
    clock.advance(DAY_MS);
    expect([rang, clock.pendingTimers]).toEqual([1, 0]);
  });
});
