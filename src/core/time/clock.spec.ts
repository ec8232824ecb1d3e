import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';

/** The files that use system time, by name, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'clock.ts': 'implements the port',
  'timers.ts': 'the port of the client, which imports nothing from the core',
  'encode.ts': 'default timestamp of a frame; the protocol imports nothing from the core, and the core passes its own',
  'turn-agent.service.ts': 'measures how long it blocks the event loop, which needs the real clock',
  'run-gateway.ts': 'a signal handler that must work in any state of the gateway',
  'http.ts': 'the command line, a process of its own',
  'egress-fetch.ts': 'time limit of a connection to a foreign server',
  'gateway-http.adapter.ts': 'closes sockets at the end of the process',
  'socket-server.ts': 'closes sockets at the end of the process',
  'upgrade-request.ts': 'destroys a refused socket that lingers',
  'bubblewrap-engine.ts': 'waits for a child process',
  'docker-engine.ts': 'waits for a local daemon',
  'mcp-connection.ts': 'deadline of another process or server',
  'mcp-program.ts': 'waits for a child process',
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
