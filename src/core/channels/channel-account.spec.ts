import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { StorePorts } from '../../testing/store/bench.js';
import { storeAt } from '../../testing/test-stores.js';
import { SilentLogs } from '../telemetry/logs.js';
import { NoMetrics } from '../telemetry/metrics.js';
import { ChannelAccount } from './channel-account.js';
import type { GatewayLine } from './channel-gateway.js';
import { DriverError, type ChannelLink, type Driver } from './driver.js';

/** A driver whose run the test controls. */
class FakeDriver implements Driver {
  link: ChannelLink | undefined;
  isStopped = false;
  intake: AbortSignal | undefined;

  constructor(private readonly onStart: () => Promise<void>) {}

  async start(link: ChannelLink, signal: AbortSignal): Promise<void> {
    this.link = link;
    this.intake = signal;
    await this.onStart();
  }

  read(): never {
    throw new Error('nothing is read');
  }

  send(): Promise<string> {
    throw new Error('nothing is sent');
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

const OPEN = { dm_policy: 'open', allow_from: ['*'], max_age_ms: 3_600_000 };

let clock: ManualClock;
let store: StorePorts;
let logs: KeptLogs;
let drivers: FakeDriver[];
let onStart: () => Promise<void>;
let account: ChannelAccount;

beforeEach(async () => {
  clock = new ManualClock();
  logs = new KeptLogs();
  drivers = [];
  onStart = async () => {};
  store = storeAt('sqlite::memory:')(clock, new SilentLogs(), new NoMetrics()).store;
  await store.open();
  const connection = { resume() {}, reportChannel() {}, submit() {}, confirm() {}, end() {} };
  account = new ChannelAccount(
    {
      name: 'pigeon',
      account: 'default',
      channel: 'pigeon',
      store,
      gateway: { connect: async () => ({ connection }) as unknown as GatewayLine },
      clock,
      log: logs.for(),
      readSettings: () => ({ common: { ...OPEN } as never, own: { token: 'secret' } }),
      hideSecrets: (text) => text.replaceAll('bot-token', '***'),
      count: () => {},
      noteTurnedAway: () => {},
      noteReceived: () => {},
      noteLost: () => {},
    },
    'replica-1',
    async () => {
      const driver = new FakeDriver(() => onStart());
      drivers.push(driver);
      const capabilities = { maxLength: 100, lengthUnit: 'bytes', minEditIntervalMs: { direct: 0, group: 0 } } as const;
      return { driver, capabilities: { edits: true, ...capabilities } };
    },
  );
});
afterEach(async () => {
  const stopping = account.stop();
  await settle();
  await stopping;
  await store.close();
});

async function settle(ms = 0): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) await turn(Math.min(1_000, ms - passed));
  await turn(0);
}

async function turn(ms: number): Promise<void> {
  await clock.advanceAsync(ms);
  for (let tick = 0; tick < 10; tick++) await new Promise((resolve) => setImmediate(resolve));
}

async function start(): Promise<void> {
  account.start();
  await settle();
}

describe('an account', () => {
  it('runs its driver with its settings, and stops it', async () => {
    await start();
    expect(account.state).toMatchObject({ state: 'connected' });
    expect(drivers[0]?.link).toMatchObject({ channel: 'pigeon', account: 'default', settings: { token: 'secret' } });
    account.stopIntake();
    expect([drivers[0]?.intake?.aborted, drivers[0]?.isStopped]).toEqual([true, false]);
    await account.stop();
    expect([account.state.state, drivers[0]?.isStopped]).toEqual(['stopped', true]);
    expect(await store.takeAccount('pigeon', 'replica-2', 1_000)).toBeDefined();
  });

  it('is broken when it has not been connected for a minute, whatever it tries meanwhile, or needs a repair', async () => {
    onStart = () => Promise.reject(new DriverError('unreachable', 'no route'));
    await start();
    await settle(30_000);
    expect([drivers.length > 1, account.isBroken]).toEqual([true, false]);
    await settle(40_000);
    expect(account.isBroken).toBe(true);
    onStart = async () => {};
    await settle(300_000);
    expect([account.state.state, account.isBroken]).toEqual(['connected', false]);
    onStart = () => Promise.reject(new DriverError('bad_credential', 'revoked'));
    drivers.at(-1)?.link?.fail(new DriverError('bad_credential', 'revoked'));
    await settle(1_000);
    expect([account.state.state, account.isBroken]).toEqual(['error', true]);
    await account.stop();
    expect(account.isBroken).toBe(false);
  });

  it('starts another driver after each failure, ever later, and never gives up', async () => {
    onStart = () => Promise.reject(new DriverError('unreachable', 'no route'));
    await start();
    expect(account.state).toMatchObject({ state: 'disconnected', reason: 'no route' });
    await settle(30_000);
    const early = drivers.length;
    await settle(1_800_000);
    expect(early).toBeGreaterThanOrEqual(4);
    expect(drivers.length - early).toBeLessThan(30);
    expect(drivers.every(({ isStopped }) => isStopped)).toBe(true);
    onStart = async () => {};
    await settle(300_000);
    expect(account.state.state).toBe('connected');
  });

  it('a fault that a person must repair is tried every ten minutes', async () => {
    onStart = () => Promise.reject(new DriverError('bad_credential', 'the token bot-token is wrong'));
    await start();
    expect(account.state).toMatchObject({ state: 'error', reason: 'the token *** is wrong' });
    expect(logs.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    await settle(590_000);
    expect(drivers).toHaveLength(1);
    await settle(10_000);
    expect(drivers).toHaveLength(2);
  });

  it('a driver that throws anything, or that hangs at its start, ends its own run only', async () => {
    onStart = () => Promise.reject(new TypeError('a fault of an SDK'));
    await start();
    expect(account.state).toMatchObject({ state: 'disconnected', reason: 'a fault of an SDK' });
    onStart = () => new Promise(() => {});
    await settle(2_000);
    expect(account.state.state).toBe('connecting');
    await settle(121_000);
    expect(account.state.state).not.toBe('connected');
    expect(drivers[1]?.isStopped).toBe(true);
  });

  it('a failure that the driver reports ends its run', async () => {
    await start();
    drivers[0]?.link?.fail(new DriverError('conflict', 'another program polls'));
    await settle();
    expect(account.state).toMatchObject({ state: 'error', reason: 'another program polls' });
    expect(drivers[0]?.isStopped).toBe(true);
  });

  it('works in part only while its driver says so, or while the clocks are apart', async () => {
    await start();
    const { link } = drivers[0]!;
    link?.degrade('the history could not be read');
    expect(account.state).toMatchObject({ state: 'degraded', reason: 'the history could not be read' });
    link?.degrade(undefined);
    expect(account.state.state).toBe('connected');
    link?.noteTime(clock.now() - 119_000);
    expect(account.state.state).toBe('connected');
    link?.noteTime(clock.now() - 121_000);
    expect(account.state).toMatchObject({ state: 'degraded', reason: 'the clocks are 121 s apart' });
    link?.noteTime(clock.now() - 3_000);
    expect(account.state.state).toBe('connected');
  });

  it('a clock that is far apart counts when a second response has it', async () => {
    await start();
    const { link } = drivers[0]!;
    link?.noteTime(clock.now() + 365 * 86_400_000);
    link?.noteTime(clock.now());
    expect(account.state.state).toBe('connected');
    link?.noteTime(clock.now() - 7_200_000);
    link?.noteTime(clock.now() - 7_201_000);
    expect(account.state).toMatchObject({ state: 'degraded', reason: 'the clocks are 7201 s apart' });
  });

  it('lists a chat that was silent for days, with the time from which on a message is answered', async () => {
    await start();
    const { link } = drivers[0]!;
    const place = { chat: 'ann' };
    const sentAt = clock.now() - 3 * 86_400_000;
    await link?.receive([{ id: 'pigeon:ann:1', sender: 'ann', place, sentAt, raw: {} }]);
    const since = clock.now() - 3_600_000;
    expect(await link?.listChats()).toMatchObject([{ place, sentAt, since }]);
  });

  it('has the 500 chats that were used last', async () => {
    await start();
    const link = drivers[0]?.link;
    const now = clock.now();
    const updates = Array.from({ length: 501 }, (_, n) => {
      const chat = `chat-${n}`;
      return { id: `pigeon:${chat}:1`, sender: 'ann', place: { chat }, sentAt: now - n, raw: {} };
    });
    await link?.receive(updates);
    const chats = (await link?.listChats()) ?? [];
    expect([chats.length, chats.some(({ place }) => place.chat === 'chat-500')]).toEqual([500, false]);
  });

  it('waits while another replica holds the account, and takes over when its lease is over', async () => {
    await store.takeAccount('pigeon', 'replica-2', 20_000);
    await start();
    await settle(19_000);
    expect([drivers.length, account.state.reason]).toEqual([0, 'another replica runs it']);
    await settle(5_000);
    expect(account.state.state).toBe('connected');
    await settle(60_000);
    expect(await store.takeAccount('pigeon', 'replica-2', 1_000)).toBeUndefined();
  });

  it('ends its run when the lease is lost', async () => {
    await start();
    const { owner, ...lease } = (await store.takeAccount('pigeon', 'replica-1', 9_000))!;
    await store.releaseAccount({ owner, ...lease });
    await store.takeAccount('pigeon', 'replica-2', 60_000);
    await settle(4_000);
    expect([account.state.state, drivers[0]?.isStopped]).toEqual(['stopped', true]);
  });
});
