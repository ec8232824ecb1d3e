import { Inject, Injectable } from '@nestjs/common';
import type { AgentDefinition } from '../core/agents/agent-definition.js';
import { MAIN_AGENT } from '../core/agents/agent-setting.js';
import { AgentsService } from '../core/agents/agents.service.js';
import type { PresenceState } from '../core/presence/presence-tracker.service.js';
import {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type Piece,
  type TurnSubject,
} from '../core/turns/agent-runtime.js';

/** Injection token of the runtimes that `agent.runtime` chooses from. */
export const RUNTIMES = Symbol('agent runtimes');

/** Runs each turn with the runtime of its agent; a change of the setting takes effect with the next turn. */
@Injectable()
export class ConfiguredRuntime extends AgentRuntime {
  private readonly byName: ReadonlyMap<string, AgentRuntime>;

  constructor(
    private readonly agents: AgentsService,
    @Inject(RUNTIMES) runtimes: readonly AgentRuntime[],
  ) {
    super();
    this.byName = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
  }

  override get name(): string {
    return this.choose(this.agents.get(MAIN_AGENT)).name;
  }

  override runtimeOf(agent: AgentDefinition): string {
    return this.choose(agent).name;
  }

  override run(turn: AgentTurn): AsyncIterable<AgentEvent> {
    return this.choose(turn.agent).run(turn);
  }

  override answerNow(turn: TurnSubject): readonly Piece[] | undefined {
    return this.choose(turn.agent).answerNow(turn);
  }

  override findProblem(agent: AgentDefinition): string | undefined {
    return this.choose(agent).findProblem(agent);
  }

  override noticePresence(state: PresenceState): void {
    for (const runtime of this.byName.values()) runtime.noticePresence(state);
  }

  private choose({ runtime: setting, model }: AgentDefinition): AgentRuntime {
    const name = setting !== 'auto' ? setting : model === undefined ? 'builtin' : 'pi';
    const runtime = this.byName.get(name);
    if (!runtime) throw new Error(`The runtime of an agent is "${name}", and no such runtime is registered`);
    return runtime;
  }
}
