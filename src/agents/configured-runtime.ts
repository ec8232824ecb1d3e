import { Inject, Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import type { PresenceState } from '../core/presence/presence-tracker.service.js';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../core/turns/agent-runtime.js';

/** Injection token of the runtimes that `agent.runtime` chooses from. */
export const RUNTIMES = Symbol('agent runtimes');

/** Runs each turn with the runtime that `agent.runtime` names; a change of the setting takes effect with the next turn. */
@Injectable()
export class ConfiguredRuntime extends AgentRuntime {
  private readonly byName: ReadonlyMap<string, AgentRuntime>;

  constructor(
    private readonly config: ConfigStoreService,
    @Inject(RUNTIMES) runtimes: readonly AgentRuntime[],
  ) {
    super();
    this.byName = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
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
    const setting = this.config.get('agent.runtime');
    const name = setting !== 'auto' ? setting : this.config.get('agent.model') === undefined ? 'builtin' : 'pi';
    const runtime = this.byName.get(name);
    if (!runtime) throw new Error(`agent.runtime is "${name}", and no such runtime is registered`);
    return runtime;
  }
}
