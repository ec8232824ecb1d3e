import { BuiltinRuntime } from '../../src/agents/builtin/builtin-runtime.js';
import { ConfiguredRuntime } from '../../src/agents/configured-runtime.js';
import { ModelChoice } from '../../src/agents/pi/model-choice.js';
import { ModelMetrics } from '../../src/agents/pi/model-metrics.js';
import { ModelRest } from '../../src/agents/pi/model-rest.js';
import { Instructions } from '../../src/agents/pi/instructions.js';
import { SkillsService } from '../../src/core/skills/skills.service.js';
import { PromptFiles } from '../../src/agents/pi/prompt-files.js';
import type { AgentsService } from '../../src/core/agents/agents.service.js';
import type { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import type { SessionStore } from '../../src/core/store/index.js';
import { PiRuntime } from '../../src/agents/pi/pi-runtime.js';
import { NoMetrics } from '../../src/core/telemetry/metrics.js';
import { NoTracing } from '../../src/core/telemetry/tracing.js';
import type { Clock } from '../../src/core/time/clock.js';
import { SilentLogs, type Logs } from '../../src/core/telemetry/logs.js';
import { CoreHarness, type CoreHarnessOptions } from '../../src/testing/core-harness.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import type { Provider } from '../../src/agents/pi/providers.js';
import type { ModelServer, Wire } from './model-server.js';

/** A clock whose sleeps end at once. It records their durations. */
export class SleeplessClock extends ManualClock {
  readonly slept: number[] = [];

  override sleep(delayMs: number): Promise<void> {
    this.slept.push(delayMs);
    return Promise.resolve();
  }
}

/** The parts of the control plane that the runtime with a model uses. */
interface RuntimeParts {
  readonly config: ConfigStoreService;
  readonly agents: AgentsService;
  readonly sessions: SessionStore;
}

/** Builds the runtime with a model. */
export function buildPiRuntime({ config, agents, sessions }: RuntimeParts, clock: Clock, logs: Logs): PiRuntime {
  const choice = new ModelChoice(config, agents, sessions);
  const files = new PromptFiles(config, agents, logs);
  const instructions = new Instructions({ isReady: async () => false }, files, new SkillsService(config, logs), logs);
  const metrics = new ModelMetrics(agents, clock, new NoTracing(), new NoMetrics());
  return new PiRuntime(choice, new ModelRest(clock), instructions, metrics, clock, logs);
}

/** Builds the control plane with the model `local/test-model` of `server`. */
export function buildModelHarness(
  server: Pick<ModelServer, 'provider'>,
  wire: Wire,
  {
    settings = {},
    provider,
    clock = new SleeplessClock(),
    logs = new SilentLogs(),
    ...options
  }: CoreHarnessOptions & { readonly provider?: Partial<Provider>; readonly logs?: Logs } = {},
): CoreHarness {
  return new CoreHarness({
    clock,
    runtime: (_clock, config, agents, sessions) =>
      new ConfiguredRuntime(agents, [
        new BuiltinRuntime(clock),
        buildPiRuntime({ config, agents, sessions }, clock, logs),
      ]),
    settings: { 'agent.model': 'local/test-model', providers: { local: server.provider(wire, provider) }, ...settings },
    ...options,
  });
}
