import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { PresenceState } from '../core/presence/presence-tracker.service.js';
import { Logs } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../core/turns/agent-runtime.js';
import { BuiltinRuntime } from './builtin/builtin-runtime.js';
import { PiRuntime } from './pi/pi-runtime.js';

/** Answers with what `agent.runtime` names; a change of the settings counts from the next turn on. */
@Injectable()
export class ConfiguredRuntime extends AgentRuntime {
  private readonly builtin: AgentRuntime;
  private readonly pi: AgentRuntime;

  constructor(
    private readonly config: ConfigStoreService,
    clock: Clock,
    logs: Logs,
  ) {
    super();
    this.builtin = new BuiltinRuntime(clock);
    this.pi = new PiRuntime(config, clock, logs);
  }

  override get name(): string {
    return this.choose().name;
  }

  override run(turn: AgentTurn): AsyncIterable<AgentEvent> {
    return this.choose().run(turn);
  }

  override noticePresence(state: PresenceState): void {
    this.choose().noticePresence(state);
  }

  private choose(): AgentRuntime {
    const runtime = this.config.get('agent.runtime');
    const usesModel = runtime === 'pi' || (runtime === 'auto' && this.config.get('agent.model') !== undefined);
    return usesModel ? this.pi : this.builtin;
  }
}
