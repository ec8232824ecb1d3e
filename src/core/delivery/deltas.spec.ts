import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { SilentLogs } from '../telemetry/logs.js';

let harness: CoreHarness;
beforeEach(async () => void (harness = await new CoreHarness().start()));
afterEach(() => harness.stop());

describe('deltas', () => {
  const delta = {
    kind: 'delta',
    sessionId: 's',
    messageId: 'm',
    messageRef: 'r',
    blockId: 'b',
    blockType: 'text',
    text: 'some',
  } as const;
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const countDeltas = ({ frames }: FakeReader) => frames.filter(({ type }) => type === 'stream_delta').length;

  it('[S-03] reach readers on other replicas that want them, until these have left', async () => {
    const other = await new CoreHarness({ other: harness }).start();
    const [eager, second, plain] = [new FakeReader(true), new FakeReader(true), new FakeReader()];
    for (const reader of [eager, second, plain]) other.delivery.subscribe(reader, 's', 0);
    harness.delivery.publishDelta(delta);
    other.delivery.removeReader(second);
    await settle();
    expect([eager, second, plain].map(countDeltas)).toEqual([1, 0, 0]);
    other.delivery.removeReader(eager);
    harness.delivery.publishDelta(delta);
    await settle();
    expect(countDeltas(eager)).toBe(1);
    await other.stop();
  });

  it('[S-03] are not sent to replicas without a reader that wants them', async () => {
    const other = await new CoreHarness({ other: harness }).start();
    const received: unknown[] = [];
    const third = new InProcessBroker(harness.clock, new SilentLogs(), harness.broker);
    const topic = third.topic('deltas', (_, message) => received.push(message));
    other.delivery.subscribe(new FakeReader(), 's', 0);
    expect(topic.isHeard('s')).toBe(false);
    topic.join('s');
    harness.delivery.publishDelta(delta);
    harness.delivery.publishDelta({ ...delta, sessionId: 't' });
    await settle();
    expect(received).toEqual([delta]);
    await other.stop();
  });
});
