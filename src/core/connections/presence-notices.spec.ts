import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { MAX_BUFFERED_BYTES } from '../delivery/frame-reader.js';
import { LOCAL_OPERATOR } from '../identity/principal.js';
import { PresenceTrackerService, type PresenceState } from '../presence/presence-tracker.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import type { ConnectionManagerService } from './connection-manager.service.js';
import type { Connection, ConnectionEvent } from './connection.js';
import { MAX_DELAYED, PresenceNoticesService } from './presence-notices.service.js';

/** An operator that reads only when the test lets it. */
class Watcher {
  readonly principal = LOCAL_OPERATOR;
  readonly states: PresenceState[] = [];
  bufferedBytes = 0;
  readonly maxBufferedBytes = MAX_BUFFERED_BYTES;
  private wake = () => {};

  send(event: ConnectionEvent): void {
    if (event.kind === 'presence') this.states.push(event.state);
    this.bufferedBytes += 100_000;
  }

  whenWritable(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  async read(): Promise<void> {
    this.bufferedBytes = 0;
    this.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let watcher: Watcher;
let presence: PresenceTrackerService;
beforeEach(() => {
  watcher = new Watcher();
  const clock = new ManualClock();
  presence = new PresenceTrackerService(clock, new InProcessBroker(clock, new SilentLogs()), new SilentLogs());
  const readers = [watcher as unknown as Connection];
  const connections = { listPresenceReaders: () => readers } as unknown as ConnectionManagerService;
  new PresenceNoticesService(presence, connections).start();
});

describe('presence for a slow operator', () => {
  it('[N-09] is buffered up to its limit, and then only the newest state of each person is kept', async () => {
    for (let i = 0; i < 1_000; i++) {
      presence.update(LOCAL_OPERATOR.tenant, 'test', `p${i % 3}`, i % 2 === 0 ? 'typing' : 'online');
    }
    expect(watcher.bufferedBytes).toBeLessThanOrEqual(MAX_BUFFERED_BYTES);
    const before = watcher.states.length;
    await watcher.read();
    const late = watcher.states.slice(before).map(({ userId, status }) => `${userId} ${status}`);
    expect(late.sort()).toEqual(['p0 online', 'p1 online', 'p2 typing']);
    presence.update(LOCAL_OPERATOR.tenant, 'test', 'p0', 'idle');
    expect(watcher.states.at(-1)).toMatchObject({ userId: 'p0', status: 'idle' });
  });

  it('[N-09] keeps no more than a limited number of people', async () => {
    watcher.bufferedBytes = MAX_BUFFERED_BYTES;
    for (let i = 0; i <= MAX_DELAYED; i++) presence.update(LOCAL_OPERATOR.tenant, 'test', `p${i}`, 'online');
    const { send } = watcher;
    watcher.send = (event) => {
      send.call(watcher, event);
      watcher.bufferedBytes = 0;
    };
    await watcher.read();
    expect(watcher.states).toHaveLength(MAX_DELAYED);
    expect(watcher.states[0]?.userId).toBe('p1');
  });

  it('[N-09] is dropped when the connection has ended', async () => {
    watcher.bufferedBytes = MAX_BUFFERED_BYTES;
    presence.update(LOCAL_OPERATOR.tenant, 'test', 'p', 'online');
    const { read } = watcher;
    Object.defineProperty(watcher, 'bufferedBytes', { get: () => MAX_BUFFERED_BYTES, set: () => {} });
    await read.call(watcher);
    expect(watcher.states).toEqual([]);
  });
});
