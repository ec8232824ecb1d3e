/** The contract of every broker, as tests. For vitest; not in the barrel, so that fakes need no test runner. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../core/broker/broker.js';

/** Two replicas of one gateway, each with its broker, on the engine under test. */
export interface BrokerBench {
  readonly replicas: readonly [Broker, Broker];
  /** The engine's time in Unix milliseconds. */
  now(): number;
  /** Advances the engine's time. */
  advance(ms: number): Promise<void>;
  /** Resolves when everything published and held so far has taken effect on both replicas. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Registers the contract as vitest tests. `open` is called for each test and creates a gateway without earlier state. */
export function brokerContract(open: () => Promise<BrokerBench>): void {
  let bench: BrokerBench;
  let here: Broker;
  let there: Broker;
  beforeEach(async () => {
    bench = await open();
    [here, there] = bench.replicas;
  });
  afterEach(() => bench.close());

  topicContract(() => ({ bench, here, there }));
  exclusiveKeyContract(() => ({ bench, here, there }));
  keptValueContract(() => ({ bench, here, there }));

  describe('the number of replicas', () => {
    it('counts this replica and the others', () => {
      expect([here.replicas, there.replicas]).toEqual([2, 2]);
    });

    it('divides limits, to 1 at least', () => {
      expect([here.shareOf(20), here.shareOf(3), here.shareOf(1)]).toEqual([10, 1, 1]);
    });
  });
}

type Parts = () => { readonly bench: BrokerBench; readonly here: Broker; readonly there: Broker };

function topicContract(parts: Parts): void {
  describe('a topic', () => {
    it('reaches replicas that joined the key, except the sender', async () => {
      const { bench, here, there } = parts();
      const received: unknown[] = [];
      const topic = here.topic('t', (...message) => received.push('here', ...message));
      const other = there.topic('t', (...message) => received.push('there', ...message));
      topic.join('a');
      other.join('a');
      await bench.settle();
      topic.publish('a', { text: 'one' });
      topic.publish('b', { text: 'two' });
      await bench.settle();
      expect(received).toEqual(['there', 'a', { text: 'one' }]);
    });

    it('preserves the order of one sender under one key', async () => {
      const { bench, here, there } = parts();
      const received: number[] = [];
      const topic = here.topic<number>('t', () => {});
      there.topic<number>('t', (_, message) => received.push(message)).join('a');
      await bench.settle();
      const sent = Array.from({ length: 100 }, (_, i) => i);
      for (const i of sent) topic.publish('a', i);
      await bench.settle();
      expect(received).toEqual(sent);
    });

    it('reports whether another replica may have joined a key, and delivers nothing once all have left', async () => {
      const { bench, here, there } = parts();
      const received: number[] = [];
      const topic = here.topic<number>('t', () => {});
      const other = there.topic<number>('t', (_, message) => received.push(message));
      other.join('a');
      await bench.settle();
      expect(topic.isHeard('a')).toBe(true);
      other.leave('a');
      await bench.settle();
      topic.publish('a', 1);
      await bench.settle();
      expect(received).toEqual([]);
    });

    it('invokes no callback during a publish, and survives a callback that throws', async () => {
      const { bench, here, there } = parts();
      const received: number[] = [];
      const topic = here.topic<number>('t', () => {});
      const other = there.topic<number>('t', (_, message) => {
        received.push(message);
        throw new Error('a fault of the subscriber');
      });
      other.join('a');
      await bench.settle();
      topic.publish('a', 1);
      topic.publish('a', 2);
      expect(received).toEqual([]);
      await bench.settle();
      expect(received).toEqual([1, 2]);
    });

    it('delivers a copy', async () => {
      const { bench, here, there } = parts();
      const received: unknown[] = [];
      const topic = here.topic<{ text: string }>('t', () => {});
      there.topic('t', (_, message) => received.push(message)).join('a');
      await bench.settle();
      const message = { text: 'before' };
      topic.publish('a', message);
      message.text = 'after';
      await bench.settle();
      expect(received).toEqual([{ text: 'before' }]);
    });

    it('has one owner in each replica', () => {
      const { here } = parts();
      here.topic('t', () => {});
      expect(() => here.topic('t', () => {})).toThrow('twice');
    });
  });
}

function exclusiveKeyContract(parts: Parts): void {
  describe('an exclusive key', () => {
    it('is lost once to another replica that takes it', async () => {
      const { bench, here, there } = parts();
      const lost: string[] = [];
      const older = here.exclusiveKeys('c', (key) => lost.push(`here ${key}`));
      const newer = there.exclusiveKeys('c', (key) => lost.push(`there ${key}`));
      older.hold('a');
      older.hold('b');
      await bench.settle();
      newer.hold('a');
      await bench.settle();
      expect(lost).toEqual(['here a']);
    });

    it('is not lost to the same replica, nor after its release', async () => {
      const { bench, here, there } = parts();
      const lost: string[] = [];
      const older = here.exclusiveKeys('c', (key) => lost.push(`here ${key}`));
      const newer = there.exclusiveKeys('c', (key) => lost.push(`there ${key}`));
      older.hold('a');
      older.hold('a');
      await bench.settle();
      older.release('a');
      await bench.settle();
      newer.hold('a');
      await bench.settle();
      older.release('a');
      await bench.settle();
      older.hold('a');
      await bench.settle();
      expect(lost).toEqual(['there a']);
    });

    it('has one holder when both take it at the same time', async () => {
      const { bench, here, there } = parts();
      const lost: string[] = [];
      const one = here.exclusiveKeys('c', () => lost.push('here'));
      const two = there.exclusiveKeys('c', () => lost.push('there'));
      one.hold('a');
      two.hold('a');
      await bench.settle();
      expect(lost).toHaveLength(1);
    });

    it('that was taken back meanwhile is not reported as lost', async () => {
      const { bench, here, there } = parts();
      const lost: string[] = [];
      const one = here.exclusiveKeys('c', () => lost.push('here'));
      const two = there.exclusiveKeys('c', () => lost.push('there'));
      one.hold('a');
      await bench.settle();
      two.hold('a');
      one.hold('a');
      await bench.settle();
      expect(lost.at(-1)).toBe('there');
      expect(lost.filter((replica) => replica === 'there')).toHaveLength(1);
    });
  });
}

function keptValueContract(parts: Parts): void {
  describe('a kept value', () => {
    it('is taken once, on any replica', async () => {
      const { here, there } = parts();
      expect(await here.keep('code', 'k', 'value', 60_000)).toBe(true);
      expect(await there.take('code', 'k')).toBe('value');
      expect(await here.take('code', 'k')).toBeUndefined();
      expect(await there.take('code', 'k')).toBeUndefined();
    });

    it('goes to one of many concurrent takers', async () => {
      const { here, there } = parts();
      await here.keep('code', 'k', 'value', 60_000);
      const takers = Array.from({ length: 20 }, (_, i) => (i % 2 ? here : there));
      const taken = await Promise.all(takers.map((broker) => broker.take('code', 'k')));
      expect(taken.filter((value) => value !== undefined)).toEqual(['value']);
    });

    it('expires at its time', async () => {
      const { bench, here, there } = parts();
      await here.keep('code', 'early', 'value', 60_000);
      await here.keep('code', 'late', 'value', 60_001);
      await bench.advance(60_000);
      expect(await there.take('code', 'early')).toBeUndefined();
      expect(await there.take('code', 'late')).toBe('value');
    });

    it('is separate for each kind, and is not replaced while it exists', async () => {
      const { bench, here, there } = parts();
      await here.keep('code', 'k', 'first', 60_000);
      expect(await there.keep('nonce', 'k', 'other', 60_000)).toBe(true);
      expect(await there.keep('code', 'k', 'second', 60_000)).toBe(false);
      expect(await here.take('code', 'k')).toBe('first');
      expect(await there.keep('code', 'k', 'third', 60_000)).toBe(true);
      await bench.advance(60_000);
      expect(await here.keep('code', 'k', 'fourth', 1)).toBe(true);
    });
  });
}
