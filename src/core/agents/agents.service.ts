import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingKey } from '../config/section.js';
import { defineAgent, INHERITED, listAgentIds, removedAgent, type AgentDefinition } from './agent-definition.js';

const SETTINGS = ['agents', 'agent.name', ...Object.values(INHERITED)] as const satisfies readonly SettingKey[];

/**
 * The agents of the gateway, as the settings define them now.
 *
 * A turn has its agent in `AgentTurn.agent` and keeps it to its end. Everything else reads what it needs each time with
 * `get(id)`: a definition is immutable, and a change of the settings gives new ones. It has the values of `agents.ID.*`
 * where they are set, else those of `agent.*`, so that a reader never looks at `agent.model` itself.
 */
@Injectable()
export class AgentsService {
  private known: ReadonlyMap<string, AgentDefinition> | undefined;

  constructor(private readonly config: ConfigStoreService) {
    for (const key of SETTINGS) config.watch(key, () => (this.known = undefined));
  }

  /** Returns all agents, `main` first. */
  list(): readonly AgentDefinition[] {
    return [...this.agents.values()];
  }

  find(id: string): AgentDefinition | undefined {
    return this.agents.get(id);
  }

  /** @throws GatewayError AGENT_FAILED if there is no such agent any more */
  get(id: string): AgentDefinition {
    const agent = this.find(id);
    if (!agent) throw removedAgent(id);
    return agent;
  }

  private get agents(): ReadonlyMap<string, AgentDefinition> {
    return (this.known ??= new Map(
      listAgentIds((key) => this.config.get(key)).map((id) => [id, defineAgent((key) => this.config.get(key), id)]),
    ));
  }
}
