import { describe, expect, it } from 'vitest';
import { brokerContract } from '../../testing/broker.contract.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { SilentLogs } from '../telemetry/logs.js';
import { InProcessBroker } from './in-process-broker.js';

describe('InProcessBroker', () => {
  brokerContract(async () => {
    const clock = new ManualClock();
    const here = new InProcessBroker(clock, new SilentLogs());
    const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
    return {
      replicas: [here, new InProcessBroker(clock, new SilentLogs(), here)],
      now: () => clock.now(),
      advance: (ms) => clock.advanceAsync(ms),
      settle,
      close: settle,
    };
  });

  it('that is alone reaches no other replica and keeps limits undivided', () => {
    const broker = new InProcessBroker(new ManualClock(), new SilentLogs());
    const topic = broker.topic('t', () => {});
    topic.join('a');
    expect(topic.isHeard('a')).toBe(false);
    expect(broker.shareOf(20)).toBe(20);
  });
});
