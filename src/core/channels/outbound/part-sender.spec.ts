import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REF, ReplyBench } from '../../../../test/support/reply-bench.js';
import { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError } from '../driver.js';
import { LateFailures } from './late-failures.js';
import { LostLeaseError } from '../persistence.js';
import { ReplyDelivery } from './reply-delivery.js';
import { ReplyProgress } from './reply-progress.js';

let bench: ReplyBench;
beforeEach(async () => void (bench = await ReplyBench.open()));
afterEach(() => bench.close());

describe('an edit that fails', () => {
  it('is left out until the end, which is repeated until it is shown', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    bench.driver.failures = [new DeliveryError('not_sent', 'busy', 2_000), new DeliveryError('unknown', 'lost')];
    await delivery.take(bench.aBlock(1, 'two'));
    await delivery.settle(1_000);
    await delivery.take(bench.anEnd(2));
    await delivery.finish(20_000);
    expect([...bench.driver.shown.values()]).toEqual(['one\n\ntwo']);
    expect(bench.run.counted).toEqual(['sent']);
  });

  it('is a dead letter if it is the last one and the platform refuses it', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart({ state: 'sent', ref: 'out-1' }));
    bench.driver.failures = [new DeliveryError('refused', 'the message of bot-token is gone')];
    bench.driver.failures.push(bench.driver.failures[0]);
    const delivery = bench.deliver(bench.aBlock(0, 'one'), false);
    await delivery.take(bench.anEnd(1));
    await delivery.finish();
    expect(bench.driver.calls).toEqual(['edit out-1 one']);
    expect(await bench.listParts()).toMatchObject([{ state: 'dead', reason: 'the message of *** is gone' }]);
    expect(bench.run.counted).toEqual(['dead']);
  });
});

describe('a run that ends during a call', () => {
  it.each([
    ['is confirmed', undefined, { state: 'sent', ref: 'out-1' }],
    ['was not sent', new DeliveryError('not_sent', 'busy'), { state: 'waiting' }],
    ['may have arrived', new DeliveryError('unknown', 'lost'), { state: 'sending' }],
  ])('stores that a part %s which is under way', async (_, failure, stored) => {
    const gate = Promise.withResolvers<void>();
    bench.driver.gate = gate.promise;
    bench.driver.failures = [failure];
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    bench.ending.abort();
    gate.resolve();
    await bench.run.calls.whenDone();
    expect(await bench.listParts()).toMatchObject([stored]);
  });

  it('stores that a part was not sent which has not had its turn', async () => {
    bench.run.pace.holdBack(60_000);
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    const waiting = [{ state: 'waiting', doubts: 0, notBefore: bench.clock.now() + 60_000 }];
    expect(await bench.listParts()).toMatchObject(waiting);
    bench.ending.abort();
    await bench.run.calls.whenDone();
    expect([bench.driver.calls, await bench.listParts()]).toMatchObject([[], waiting]);
  });
});

describe('the limits of an account', () => {
  it('[V-24] growing replies leave a fifth of the edits, and the end of a reply waits for one', async () => {
    await bench.makeRun({}, { editsPerMinute: 5 });
    const delivery = bench.deliver(bench.aBlock(0, 'a'));
    for (let index = 1; index < 9; index++) {
      await delivery.settle(1_000);
      await delivery.take(bench.aBlock(index, 'b'));
    }
    await delivery.settle(1_000);
    expect(bench.driver.calls.filter((call) => call.startsWith('edit'))).toHaveLength(4);
    for (let edit = 0; edit < 1; edit++) await bench.run.pace.takeEdit();
    await delivery.take(bench.anEnd(9));
    await delivery.settle(1_000);
    expect(delivery.isDone).toBe(false);
    await delivery.finish(60_000);
    expect([...bench.driver.shown.values()].join('').split('b')).toHaveLength(9);
  });

  it('[V-24] a 429 of the account makes every chat wait', async () => {
    bench.driver.failures = [new DeliveryError('not_sent', 'busy', 30_000, { isAccountWide: true })];
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    const before = bench.clock.elapsed();
    const other = new ReplyProgress('m_2', 'id-2', true, bench.clock.now());
    other.take({ ...bench.aBlock(0, 'two'), messageRef: 'm_2' });
    other.take({ ...bench.anEnd(1), messageRef: 'm_2' });
    const done = new ReplyDelivery(
      bench.run,
      other,
      { chat: 'bob' },
      new ChatLane(bench.clock, bench.run.signal, 0),
    ).deliver(true);
    await delivery.settle(29_000);
    expect(bench.driver.shown.size).toBe(0);
    await delivery.settle(2_000);
    await done;
    expect(bench.clock.elapsed() - before).toBeGreaterThanOrEqual(30_000);
    await delivery.take(bench.anEnd(1));
    await delivery.finish();
  });
});

it('[V-25] what the platform reports as failed later is a dead letter with its text, also if the report comes first', async () => {
  await bench.makeRun({ streaming: 'final' }, { failsLater: true });
  const failures = new LateFailures(bench.run);
  (bench.run as { failures: LateFailures }).failures = failures;
  failures.report('out-1', 'the window of bot-token is closed');
  const delivery = bench.deliver(bench.aBlock(0, 'hello'));
  await delivery.take(bench.anEnd(1));
  await delivery.finish();
  const [letter] = await bench.store.listDeadLetters({ limit: 9 });
  expect(letter).toMatchObject({
    reason: 'the window of *** is closed',
    content: '[{"kind":"markdown","text":"hello"}]',
  });
  expect(bench.run.counted).toEqual(['sent', 'dead']);
});

describe('a part whose outcome is unknown', () => {
  const again = async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'hello'), false);
    await delivery.take(bench.anEnd(1));
    return delivery;
  };

  it('is sent again and counted where the platform cannot be asked', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart());
    await (await again()).finish();
    expect(bench.driver.calls).toEqual(['send hello']);
    expect(bench.run.counted).toEqual(['possibly_twice', 'sent']);
    expect(await bench.listParts()).toMatchObject([{ state: 'sent', doubts: 1 }]);
  });

  it.each([
    [119_000, []],
    [121_000, [`${REF}.0`, `${REF}.0`]],
  ])(
    'is sent again at once, not counted and not looked up while the platform recognises it: after %d ms',
    async (age, looks) => {
      await bench.makeRun({}, { repeatableMs: 120_000 });
      const asked: string[] = [];
      bench.driver.lookUp = async ({ id }) => {
        asked.push(id);
        return 'absent';
      };
      await bench.store.writePart(bench.run.lease, bench.aPart({ createdAt: bench.clock.now() - age }));
      await (await again()).finish(60_000);
      expect([bench.driver.calls, asked, bench.run.counted]).toEqual([['send hello'], looks, ['sent']]);
    },
  );

  it('is looked up again while the platform limits look-ups', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart({ deadline: 0 }));
    const limits = [7_000, 7_000];
    bench.driver.lookUp = async () => {
      const retryAfterMs = limits.pop();
      if (retryAfterMs !== undefined) throw new DeliveryError('not_sent', 'limited', retryAfterMs);
      return { ref: 'found' };
    };
    await (await again()).finish(20_000);
    expect([bench.driver.calls, bench.run.counted]).toEqual([['edit found hello'], []]);
  });

  it('[V-08] is looked up until the first call cannot arrive any more, and not sent again when it is there', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart());
    const asked: number[] = [];
    bench.driver.lookUp = async ({ id }) => {
      asked.push(bench.clock.now() - before);
      return id === `${REF}.0` && asked.length > 1 ? { ref: 'found' } : 'absent';
    };
    const before = bench.clock.now();
    const delivery = await again();
    await delivery.finish(40_000);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBeGreaterThanOrEqual(30_000);
    expect(bench.driver.calls).toEqual(['edit found hello']);
    expect(await bench.listParts()).toMatchObject([{ state: 'sent', ref: 'found', doubts: 0 }]);
  });

  it('that the platform shows already is found at once', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart());
    bench.driver.lookUp = async () => ({ ref: 'found' });
    await (await again()).finish(1_000);
    expect(bench.driver.calls).toEqual(['edit found hello']);
  });

  it('is sent again without a doubt when the platform certainly does not have it', async () => {
    await bench.store.writePart(bench.run.lease, bench.aPart({ deadline: 0 }));
    bench.driver.lookUp = async () => 'absent';
    await (await again()).finish();
    expect([bench.driver.calls, bench.run.counted]).toEqual([['send hello'], ['sent']]);
  });

  it('a call without a response in time is one', async () => {
    await bench.makeRun({ streaming: 'final' });
    const send = bench.driver.send.bind(bench.driver);
    let calls = 0;
    bench.driver.send = async (part) => (++calls === 1 ? new Promise<never>(() => {}) : send(part));
    const delivery = bench.deliver(bench.aBlock(0, 'hello'));
    await delivery.take(bench.anEnd(1));
    await delivery.finish(60_000);
    expect([calls, bench.run.counted]).toEqual([2, ['possibly_twice', 'sent']]);
  });
});

describe('a run that ends', () => {
  it('sends nothing more once another replica has the account', async () => {
    await bench.makeRun({ streaming: 'final' });
    await bench.store.releaseAccount(bench.run.lease);
    await bench.store.takeAccount('pigeon', 'replica-2', 10_000);
    const delivery = bench.deliver(bench.aBlock(0, 'hello'));
    await delivery.take(bench.anEnd(1));
    await expect(delivery.finish()).rejects.toThrow(LostLeaseError);
    expect(bench.driver.calls).toEqual([]);
  });

  it('puts back the part that a revoked credential refused', async () => {
    bench.driver.failures = [new DriverError('bad_credential', 'revoked')];
    const delivery = bench.deliver(bench.aBlock(0, 'hello'));
    await expect(delivery.finish()).rejects.toThrow('revoked');
    expect(await bench.listParts()).toMatchObject([{ state: 'waiting', doubts: 0 }]);
  });
});
