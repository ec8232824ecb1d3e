/**
 * The contract of every channel driver, as tests: `describeChannelDriverContract` runs them against one and a platform that
 * the test controls. For vitest; not in the barrel of fakes, which need no test runner.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DeliveryError,
  DriverError,
  type ChannelLink,
  type Driver,
  type Part,
  type Reading,
  type Update,
} from '../core/channels/driver.js';
import { SilentLogs } from '../core/telemetry/logs.js';

/** A driver with the platform behind it. */
export interface DriverUnderTest {
  /** The driver, not started. Its clock, if it has one, runs by itself. */
  readonly driver: Driver;
  /** The driver's own settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** A person writes to the bot. */
  write(sender: string, text: string): void | Promise<void>;
  /** Delivers the newest message again, as the platform does when it was not confirmed. Absent where it never does. */
  readonly redeliver?: (() => void | Promise<void>) | undefined;
  /** The author of the newest message changes its text. Absent where the platform has no such thing, or does not report it. */
  readonly edit?: ((text: string) => void | Promise<void>) | undefined;
  /** The author of the newest message reacts to it. Absent where the platform has no such thing, or does not report it. */
  readonly react?: (() => void | Promise<void>) | undefined;
  /** A person presses a button with these data in the direct chat. Absent where messages have none. */
  readonly press?: ((sender: string, data: string) => void | Promise<void>) | undefined;
  /** Returns the texts that the direct chat with a person shows, oldest first. */
  shown(sender: string): readonly string[];
  /** Makes the next call to the platform fail in the way of the platform. */
  failNext(failure: 'rate limited' | 'blocked' | 'response lost' | 'revoked'): void;
  dispose(): void | Promise<void>;
}

/** Runs a driver and records what it hands over. */
class Bench {
  readonly received: Update[] = [];
  readonly failures: unknown[] = [];
  readonly intake = new AbortController();
  /** Called by `receive`, which resolves afterwards: only then may the driver confirm to the platform. */
  onReceive: (updates: readonly Update[]) => Promise<void> = async () => {};

  constructor(readonly under: DriverUnderTest) {}

  get driver(): Driver {
    return this.under.driver;
  }

  async start(): Promise<void> {
    const link: ChannelLink = {
      channel: 'contract',
      account: 'default',
      settings: this.under.settings,
      requiresMention: true,
      log: new SilentLogs().for(),
      receive: async (updates) => {
        if (updates.length === 0) return;
        await this.onReceive(updates);
        this.received.push(...updates);
      },
      listChats: async () => [],
      closeGap: async () => {},
      answersSince: 0,
      admits: () => true,
      listPeople: async () => [],
      takesPart: async () => false,
      noteTime: () => {},
      degrade: () => {},
      moveChat: async () => {},
      joinSenders: async () => {},
      noteTyping: () => {},
      reportFailed: () => {},
      keepFile: () => Promise.reject(new Error('no files are stored')),
      openFile: () => Promise.reject(new Error('there are no files')),
      fail: (error) => void this.failures.push(error),
    };
    await this.driver.start(link, this.intake.signal);
  }

  /** Waits until at least `count` updates were received. */
  async receive(count: number): Promise<readonly Update[]> {
    await expect.poll(() => this.received.length).toBeGreaterThanOrEqual(count);
    return this.received;
  }

  /** Starts, lets Ann write, and then act. Returns the update of the message and that of the act. */
  async act(act: () => void | Promise<void>): Promise<readonly [Update, Update]> {
    await this.start();
    await this.under.write('ann', 'hello');
    await this.receive(1);
    await act();
    const [written, acted] = (await this.receive(2)) as [Update, Update];
    return [written, acted];
  }

  async read(update: Update): Promise<Reading> {
    return this.driver.read([update]);
  }

  /** Returns a part for the chat in which a person has written. */
  async partFor(sender: string, text: string, id = 'm_1.0'): Promise<Part> {
    const update = this.received.find((each) => each.sender === sender);
    if (!update) throw new Error(`${sender} has written nothing`);
    return { id, place: update.place, texts: [{ kind: 'text', text }], createdAt: Date.now() };
  }

  /** Returns the error of a call. */
  async failureOf(call: Promise<unknown>): Promise<unknown> {
    return call.then(
      () => new Error('the call has not failed'),
      (error: unknown) => error,
    );
  }
}

type ContractTest = (bench: Bench) => Promise<void>;

/** The tests by name. */
export const CHANNEL_DRIVER_CONTRACT: Readonly<Record<string, ContractTest>> = {
  'hands over what a person writes, with who and where': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    const [update] = await bench.receive(1);
    expect(update).toMatchObject({ sender: 'ann', sentAt: expect.any(Number), place: { chat: expect.any(String) } });
    expect(update?.groupId).toBeUndefined();
    expect(update?.id.length).toBeGreaterThan(0);
    expect(update?.id.length).toBeLessThanOrEqual(128);
    expect(await bench.read(update!)).toMatchObject({ kind: 'message', message: { content: 'hello' } });
  },

  'reads the same from an update that was stored': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    const [received] = await bench.receive(1);
    const { visible: _, ...update } = received!;
    const stored = JSON.parse(JSON.stringify(update)) as Update;
    expect(stored).toEqual(update);
    expect(await bench.read(stored)).toEqual(await bench.read(received!));
  },

  'confirms nothing to the platform before it is stored': async (bench) => {
    let refusals = 0;
    bench.onReceive = async () => {
      if (refusals++ === 0) throw new Error('the store is not available');
    };
    await bench.start();
    await bench.under.write('ann', 'hello');
    await expect.poll(() => refusals).toBeGreaterThan(0);
    if (bench.failures.length > 0) return;
    expect((await bench.receive(1))[0]).toMatchObject({ sender: 'ann' });
  },

  'gives a message that is delivered again the same ID': async (bench) => {
    if (!bench.under.redeliver) return;
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    await bench.under.redeliver();
    const updates = await bench.receive(2);
    expect(new Set(updates.map(({ id }) => id)).size).toBe(1);
  },

  'keeps the order of what people write, and gives each its own ID': async (bench) => {
    await bench.start();
    for (const text of ['one', 'two', 'three']) await bench.under.write('ann', text);
    const updates = await bench.receive(3);
    const readings = await Promise.all(updates.map((update) => bench.read(update)));
    expect(readings.map((reading) => reading.kind === 'message' && reading.message.content)).toEqual([
      'one',
      'two',
      'three',
    ]);
    expect(new Set(updates.map(({ id }) => id)).size).toBe(3);
  },

  'hands over an edit as a message of its own, with the one that it changes': async (bench) => {
    if (!bench.under.edit) return;
    const [written, edited] = await bench.act(() => bench.under.edit?.('hello again'));
    expect(edited).toMatchObject({ sender: 'ann', change: { kind: 'edit', messageId: written.id } });
    expect(edited.id.startsWith(`${written.id}:edit:`)).toBe(true);
    expect(edited.place.chat).toBe(written.place.chat);
    expect(await bench.read(edited)).toMatchObject({ kind: 'message', message: { content: 'hello again' } });
  },

  'hands over a reaction with the message that it is to': async (bench) => {
    if (!bench.under.react) return;
    const [written, reacted] = await bench.act(() => bench.under.react?.());
    expect(reacted.id).not.toBe(written.id);
    expect(reacted).toMatchObject({ sender: 'ann', reaction: { action: 'added', messageId: written.id } });
    expect(reacted.reaction?.emoji.length).toBeGreaterThan(0);
  },

  'reads the press of a button as a command of the person who has pressed': async (bench) => {
    if (!bench.under.press) return;
    const [written, pressed] = await bench.act(() => bench.under.press?.('ann', 'a:ap_1'));
    expect(pressed).toMatchObject({ sender: 'ann', place: { chat: written.place.chat } });
    expect(pressed.change ?? pressed.reaction).toBeUndefined();
    expect(await bench.read(pressed)).toMatchObject({ kind: 'message', message: { content: '/approve ap_1' } });
  },

  'sends a part, and resolves with the ID by which it can be changed': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    const ref = await bench.driver.send(await bench.partFor('ann', 'first'));
    expect(bench.under.shown('ann')).toEqual(['first']);
    if (!bench.driver.edit) return;
    await bench.driver.edit(ref, await bench.partFor('ann', 'second'));
    expect(bench.under.shown('ann')).toEqual(['second']);
    await bench.driver.edit(ref, await bench.partFor('ann', 'second'));
    if (!bench.driver.remove) return;
    await bench.driver.remove(ref, (await bench.partFor('ann', '')).place);
    expect(bench.under.shown('ann')).toEqual([]);
  },

  'classes what was not sent, what never will be, and what may have been, by different errors': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    const outcomes: unknown[] = [];
    for (const failure of ['rate limited', 'blocked', 'response lost'] as const) {
      bench.under.failNext(failure);
      const error = await bench.failureOf(bench.driver.send(await bench.partFor('ann', 'text')));
      outcomes.push(error instanceof DeliveryError ? error.outcome : error);
    }
    expect(outcomes).toEqual(['not_sent', 'refused', 'unknown']);
  },

  'names the account that its settings are of, without a start': async ({ driver, under }) => {
    const checked = await driver.check?.(under.settings);
    expect(checked?.name ?? 'no check').not.toBe('');
  },

  'names the time to wait when the platform does': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    bench.under.failNext('rate limited');
    const error = await bench.failureOf(bench.driver.send(await bench.partFor('ann', 'text')));
    expect((error as DeliveryError).retryAfterMs).toBeGreaterThan(0);
  },

  'a revoked credential ends the run, not the part': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    bench.under.failNext('revoked');
    const error = await bench.failureOf(bench.driver.send(await bench.partFor('ann', 'text')));
    expect(error).toBeInstanceOf(DriverError);
    expect((error as DriverError).fault).toBe('bad_credential');
  },

  'takes nothing new once the intake is over, and still sends': async (bench) => {
    await bench.start();
    await bench.under.write('ann', 'hello');
    await bench.receive(1);
    bench.intake.abort();
    await bench.under.write('ann', 'too late');
    await bench.driver.send(await bench.partFor('ann', 'still here'));
    expect(bench.under.shown('ann')).toEqual(['still here']);
    expect(bench.received).toHaveLength(1);
  },

  'can be stopped without having been started': async (bench) => {
    await bench.driver.stop();
  },
};

/** Registers the contract as vitest tests. @param makeDriver gives a new driver with a new platform for each test */
export function describeChannelDriverContract(name: string, makeDriver: () => Promise<DriverUnderTest>): void {
  describe(name, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = new Bench(await makeDriver());
    });
    afterEach(async () => {
      bench.intake.abort();
      await bench.driver.stop();
      await bench.under.dispose();
    });
    for (const [title, test] of Object.entries(CHANNEL_DRIVER_CONTRACT)) it(title, () => test(bench));
  });
}
