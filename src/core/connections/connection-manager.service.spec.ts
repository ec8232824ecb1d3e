import { describe, expect, it } from 'vitest';
import type { DeliveryService } from '../delivery/delivery.service.js';
import type { CloseReason } from '../delivery/frame-reader.js';
import { SlowReadersService } from '../delivery/slow-readers.service.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { loadSettings } from '../../settings.js';
import { LiveCredentialsService } from '../identity/live-credentials.service.js';
import { LOCAL_OPERATOR, type Principal } from '../identity/principal.js';
import { SilentLogs } from '../telemetry/logs.js';
import { FakeMetrics } from '../../testing/fake-metrics.js';
import { ManualClock } from '../../testing/index.js';
import { ConnectionManagerService } from './connection-manager.service.js';
import { CredentialEndsService } from './credential-ends.service.js';
import type { Connection, ConnectionEvent, ExtensionEvent } from './connection.js';

class FakeConnection implements Connection {
  readonly sentEvents: ConnectionEvent[] = [];
  readonly closes: CloseReason[] = [];
  readonly bufferedBytes = 0;
  readonly maxBufferedBytes = 1;
  readonly wantsDeltas = false;
  readonly connectedAt = 0;
  readonly wantsPresence = false;
  beats = 0;
  isSlow = false;

  constructor(
    readonly id: string,
    readonly clientId = id,
    readonly principal: Principal = LOCAL_OPERATOR,
  ) {}

  send(event: ConnectionEvent): void {
    this.sentEvents.push(event);
  }
  heartbeat(): 'slowReader' | undefined {
    this.beats++;
    return this.isSlow ? 'slowReader' : undefined;
  }
  async whenWritable(): Promise<void> {}
  beginRequest(): number {
    return 0;
  }
  endRequest(): void {}
  close(reason: CloseReason): void {
    this.closes.push(reason);
  }
}

let events = 0;

function anEvent(): ExtensionEvent {
  return { kind: 'extension', type: 'acme.event', payload: { number: ++events } };
}

function setUp(other?: InProcessBroker, heartbeatMs = 1_000) {
  const clock = new ManualClock();
  const broker = new InProcessBroker(clock, new SilentLogs(), other);
  const config = new ConfigStoreService(
    loadSettings({}, { 'gateway.heartbeat_interval_ms': heartbeatMs }, '/nonexistent'),
    new SilentLogs(),
  );
  const metrics = new FakeMetrics();
  const slowReaders = new SlowReadersService(clock, metrics);
  const removedReaders: string[] = [];
  const delivery = { removeReader: ({ id }: Connection) => removedReaders.push(id) } as unknown as DeliveryService;
  const manager = new ConnectionManagerService(clock, config, slowReaders, delivery, broker, new SilentLogs());
  return { broker, clock, metrics, manager, removedReaders };
}

describe('ConnectionManagerService', () => {
  it('lists registered connections until they are removed', () => {
    const { manager } = setUp();
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    manager.register(a);
    manager.register(b);
    expect(manager.list()).toEqual([a, b]);
    manager.remove(a);
    manager.remove(a);
    expect(manager.count).toBe(1);
    expect(manager.list()).toEqual([b]);
  });

  it('ends what a connection reads when it is removed, also if it ended before it was registered', () => {
    const { manager, removedReaders } = setUp();
    const connection = new FakeConnection('a');
    manager.register(connection);
    manager.remove(connection);
    manager.remove(new FakeConnection('never registered'));
    expect(removedReaders).toEqual(['a', 'never registered']);
  });

  it('closes the older connection of the same client as replaced; its end does not remove the newer one', () => {
    const { manager } = setUp();
    const older = new FakeConnection('1', 'same');
    const newer = new FakeConnection('2', 'same');
    manager.register(older);
    manager.register(newer);
    expect(older.closes).toEqual(['replaced']);
    manager.remove(older);
    expect(manager.list()).toEqual([newer]);
    const newest = new FakeConnection('3', 'same');
    manager.register(newest);
    expect(newer.closes).toEqual(['replaced']);
  });

  it('closes the older connection of the same client on another replica too', async () => {
    const { broker, manager } = setUp();
    const { manager: elsewhere } = setUp(broker);
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const [older, other] = [new FakeConnection('1', 'same'), new FakeConnection('2', 'other')];
    manager.register(older);
    manager.register(other);
    const newer = new FakeConnection('3', 'same');
    elsewhere.register(newer);
    await settle();
    expect(older.closes).toEqual(['replaced']);
    expect([manager.list(), elsewhere.list()]).toEqual([[other], [newer]]);
    manager.remove(older);
    const newest = new FakeConnection('4', 'same');
    manager.register(newest);
    await settle();
    expect([newer.closes, newest.closes, other.closes]).toEqual([['replaced'], [], []]);
    manager.remove(newest);
    elsewhere.register(new FakeConnection('5', 'same'));
    await settle();
    expect(newest.closes).toEqual([]);
  });

  it('treats the same client_id of another principal or tenant as another client', () => {
    const { manager } = setUp();
    const connections = [
      new FakeConnection('1', 'same'),
      new FakeConnection('2', 'same', { ...LOCAL_OPERATOR, principal: 'other' }),
      new FakeConnection('3', 'same', { ...LOCAL_OPERATOR, tenant: 'other' }),
    ];
    for (const connection of connections) manager.register(connection);
    expect(connections.flatMap((connection) => connection.closes)).toEqual([]);
  });

  it('runs the heartbeat of each connection at the interval, and of no removed one', () => {
    const { clock, manager } = setUp();
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    manager.register(a);
    clock.advance(500);
    manager.register(b);
    clock.advance(1_500);
    expect([a.beats, b.beats]).toEqual([2, 1]);
    manager.remove(a);
    clock.advance(1_000);
    expect([a.beats, b.beats]).toEqual([2, 2]);
    manager.remove(b);
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs all heartbeats by one timer, and spreads them over the interval', () => {
    const { clock, manager } = setUp();
    const connections = Array.from({ length: 64 }, (_, n) => new FakeConnection(String(n)));
    for (const connection of connections) {
      manager.register(connection);
      clock.advance(1_000 / 64);
    }
    expect(clock.pendingTimers).toBe(1);
    const beats = () => connections.reduce((sum, connection) => sum + connection.beats, 0);
    let before = beats();
    for (let part = 0; part < 16; part++, before = beats()) {
      clock.advance(1_000 / 16);
      expect(beats() - before).toBeLessThanOrEqual(8);
    }
    expect(new Set(connections.map((connection) => connection.beats)).size).toBeLessThanOrEqual(2);
    for (const connection of connections) expect(connection.beats).toBeGreaterThan(0);
  });

  it('closes and counts a connection whose heartbeat finds that its peer takes nothing', () => {
    const { clock, manager, metrics } = setUp();
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    manager.register(a);
    manager.register(b);
    a.isSlow = true;
    clock.advance(2_000);
    expect([a.closes, b.closes]).toEqual([['slowReader'], []]);
    expect(metrics.read('openclaw_slow_readers_total')).toBe(1);
  });

  it('sends to one, and to all except one', () => {
    const { manager } = setUp();
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    manager.register(a);
    manager.register(b);
    const [one, all, notB] = [anEvent(), anEvent(), anEvent()];
    manager.send('a', one);
    manager.send('unknown', anEvent());
    manager.broadcast(all);
    manager.broadcast(notB, 'b');
    expect([a.sentEvents, b.sentEvents]).toEqual([[one, all, notB], [all]]);
  });

  it('closes all', () => {
    const { manager } = setUp();
    const [a, b] = [new FakeConnection('a'), new FakeConnection('b')];
    manager.register(a);
    manager.register(b);
    manager.closeAll('restarting');
    expect([a.closes, b.closes]).toEqual([['restarting'], ['restarting']]);
  });

  it('[I-09] closes a connection when its credential ends, and forgets those that are gone', () => {
    const { broker, clock, manager } = setUp();
    const live = new LiveCredentialsService(clock, broker);
    expect(new CredentialEndsService(manager, live)).toBeDefined();
    const [expiring, revoked, gone, plain] = ['expiring', 'revoked', 'gone', 'plain'].map(
      (id) =>
        new FakeConnection(id, id, {
          ...LOCAL_OPERATOR,
          ...(id === 'expiring' && { expiresAt: clock.now() + 10_000 }),
          ...((id === 'revoked' || id === 'gone') && { credentialId: 'token:1' }),
        }),
    ) as [FakeConnection, FakeConnection, FakeConnection, FakeConnection];
    for (const connection of [expiring, revoked, gone, plain]) manager.register(connection);
    manager.remove(gone);
    clock.advance(9_999);
    expect(expiring.closes).toEqual([]);
    clock.advance(1);
    live.end('token:1');
    expect([expiring, revoked, gone, plain].map(({ closes }) => closes)).toEqual([
      ['unauthorized'],
      ['unauthorized'],
      [],
      [],
    ]);
  });
});
