import { expect, it } from 'vitest';
import { GatewayClock } from './gateway-clock.js';

it('the clock of the gateway goes on from its last frame, whatever the device says', () => {
  let device = 1_000;
  const clock = new GatewayClock(() => device);
  expect(clock.now()).toBe(1_000);
  clock.note(86_401_000);
  device += 500;
  expect(clock.now()).toBe(86_401_500);
});
