import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeReader } from '../../testing/fake-reader.js';
import { NESTED, PlannedGateway, untilShown } from '../../testing/planned-gateway.js';

let gateway: PlannedGateway;
beforeEach(() => void (gateway = new PlannedGateway()));
afterEach(() => gateway.end());

describe('a slot of agent.concurrency', () => {
  it('[Z-32] is free for others while nested questions wait for a person, and is taken again', async () => {
    await gateway.open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    await gateway.say(ann, 'ann', NESTED);
    const shown = await untilShown(ann);
    await gateway.say(bob, 'bob', 'hello');
    await bob.waitForEnd('bob');
    await gateway.say(bob, 'cleo', 'held');
    await expect.poll(() => gateway.runtime.held.length).toBe(1);
    await gateway.decide(shown, 'allow');
    await gateway.say(bob, 'dora', 'hello');
    await gateway.harness.clock.advanceAsync(1_000);
    expect([gateway.paid.length, gateway.runtime.done]).toEqual([0, ['"hello"']]);
    gateway.runtime.held[0]!.resolve();
    await Promise.all([ann.waitForEnd('ann'), bob.waitForEnd('dora')]);
    expect([gateway.paid.length, gateway.runtime.done.length, gateway.runtime.peak]).toEqual([1, 6, 1]);
  });

  it('[Z-32] is given to those that return in the order of the decisions, before new messages', async () => {
    await gateway.open();
    const [ann, bob, others] = [new FakeReader(), new FakeReader(), new FakeReader()];
    await gateway.say(ann, 'ann', { pay: 1 });
    const first = await untilShown(ann);
    await gateway.say(bob, 'bob', { pay: 2 });
    const second = await untilShown(bob);
    await gateway.say(others, 'cleo', 'hello');
    await others.waitForEnd('cleo');
    await gateway.say(others, 'dora', 'held');
    await gateway.say(others, 'eve', 'hello');
    await expect.poll(() => gateway.runtime.held.length).toBe(1);
    await gateway.decide(second, 'deny');
    await gateway.decide(first, 'allow');
    gateway.runtime.held[0]!.resolve();
    await others.waitForEnd('eve');
    expect(gateway.runtime.done).toEqual(['"hello"', '"held"', '{"pay":2}', '{"pay":1}', '"hello"']);
    expect([gateway.paid.length, gateway.runtime.peak]).toEqual([1, 1]);
  });

  it('[Z-32] is taken again before the asking turn goes on, also when the asked one ends without a decision', async () => {
    const harness = await gateway.open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    const { sessionId } = await gateway.say(ann, 'ann', { ask: 'ops', plan: { pay: 5 } });
    await untilShown(ann);
    await gateway.say(bob, 'bob', 'held');
    await expect.poll(() => gateway.runtime.held.length).toBe(1);
    await harness.queue.cancel({ by: 'session', tenant: 'default', sessionId: gateway.askedBy(sessionId, 'ops') });
    await expect.poll(() => gateway.statesOf(gateway.askedBy(sessionId, 'ops'))).toEqual(['cancelled']);
    expect(gateway.runtime.done).toEqual([]);
    gateway.runtime.held[0]!.resolve();
    await ann.waitForEnd('ann');
    expect([gateway.runtime.done.length, gateway.runtime.peak]).toEqual([2, 1]);
  });

  it('[Z-32] is not needed to end a turn that is cancelled while it waits for one', async () => {
    const harness = await gateway.open();
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    const { messageRef } = await gateway.say(ann, 'ann', { pay: 5 });
    const shown = await untilShown(ann);
    await gateway.say(bob, 'bob', 'held');
    await expect.poll(() => gateway.runtime.held.length).toBe(1);
    await gateway.decide(shown, 'allow');
    await harness.queue.cancel({ by: 'ref', tenant: 'default', messageRef });
    expect((await ann.waitForEnd('ann')).payload['reason']).toBe('cancelled');
    gateway.runtime.held[0]!.resolve();
    await bob.waitForEnd('bob');
    expect([gateway.paid.length, gateway.runtime.peak]).toEqual([0, 1]);
  });
});
