import { BuiltinRuntime } from '../../src/agents/builtin/builtin-runtime.js';
import { ConfiguredRuntime } from '../../src/agents/configured-runtime.js';
import { PiRuntime } from '../../src/agents/pi/pi-runtime.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { CoreHarness, type CoreHarnessOptions } from '../../src/testing/core-harness.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import type { Provider } from '../../src/agents/pi/providers.js';
import type { ModelServer, Wire } from './model-server.js';

/** Does not wait, and remembers how long it should have. */
export class SleeplessClock extends ManualClock {
  readonly slept: number[] = [];

  override sleep(delayMs: number): Promise<void> {
    this.slept.push(delayMs);
    return Promise.resolve();
  }
}

/** The control plane with the model `local/test-model` of `server` behind it. */
export function buildModelHarness(
  server: ModelServer,
  wire: Wire,
  {
    settings = {},
    provider,
    clock = new SleeplessClock(),
    ...options
  }: CoreHarnessOptions & { readonly provider?: Partial<Provider> } = {},
): CoreHarness {
  return new CoreHarness({
    clock,
    runtime: (_clock, config) =>
      new ConfiguredRuntime(config, [new BuiltinRuntime(clock), new PiRuntime(config, clock, new SilentLogs())]),
    settings: { 'agent.model': 'local/test-model', providers: { local: server.provider(wire, provider) }, ...settings },
    ...options,
  });
}
