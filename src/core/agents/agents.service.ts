import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { SettingSource } from '../config/load-settings.js';
import type { SettingKey } from '../config/section.js';
import { DEFAULT_TENANT } from '../identity/principal.js';
import { isInScope } from '../store/index.js';
import {
  defineAgent,
  INHERITED,
  listAgentIds,
  readEffective,
  removedAgent,
  type AgentDefinition,
} from './agent-definition.js';
import { MAIN_AGENT } from './agent-setting.js';
import { BindingIndex, type BoundMessage, type IndexedBinding } from './binding-index.js';

const SETTINGS = [
  'agents',
  'agent.name',
  'bindings',
  ...Object.values(INHERITED),
] as const satisfies readonly SettingKey[];

/** The agents and bindings of one state of the settings. */
interface Known {
  readonly agents: ReadonlyMap<string, AgentDefinition>;
  /** The agent of messages without a binding, by tenant. */
  readonly defaults: ReadonlyMap<string, AgentDefinition>;
  readonly bindings: BindingIndex;
  /** The bindings in the order of the setting. */
  readonly list: readonly IndexedBinding[];
}

/** An effective setting of an agent. */
export interface ExplainedSetting {
  readonly field: string;
  /** Undefined if nothing sets it. */
  readonly value: unknown;
  /** The key that sets it; undefined for a default of the gateway. */
  readonly key: string | undefined;
  readonly source: SettingSource;
}

/**
 * The agents of the gateway, as the settings define them now. Chooses the agent that answers a message.
 *
 * A turn has its agent in `AgentTurn.agent` and keeps it to its end. Everything else reads what it needs each time with
 * `get(id)`: a definition is immutable, and a change of the settings gives new ones. It has the values of `agents.ID.*`
 * where they are set, else those of `agent.*`, so that a reader never looks at `agent.model` itself.
 */
@Injectable()
export class AgentsService {
  private current: Known | undefined;

  constructor(private readonly config: ConfigStoreService) {
    for (const key of SETTINGS) config.watch(key, () => (this.current = undefined));
  }

  /** Returns all agents, `main` first. */
  list(): readonly AgentDefinition[] {
    return [...this.known.agents.values()];
  }

  /**
   * Returns the agents that a tenant sees: its own, and the one of the gateway that answers where it has no default.
   * `ALL_TENANTS` sees all.
   */
  listOf(tenant: string): readonly AgentDefinition[] {
    const fallback = this.defaultOf(tenant);
    return this.list().filter((agent) => isInScope(tenant, agent.tenant) || agent === fallback);
  }

  find(id: string): AgentDefinition | undefined {
    return this.known.agents.get(id);
  }

  /** @throws GatewayError AGENT_FAILED if there is no such agent any more */
  get(id: string): AgentDefinition {
    const agent = this.find(id);
    if (!agent) throw removedAgent(id);
    return agent;
  }

  /**
   * Returns the agent of a session of `tenant`; undefined if it was removed or given to another tenant. An agent of the
   * gateway answers for every tenant that it has sessions of.
   */
  findFor(tenant: string, id: string): AgentDefinition | undefined {
    const agent = this.find(id);
    return agent?.tenant === tenant || agent?.tenant === DEFAULT_TENANT ? agent : undefined;
  }

  /**
   * Returns each effective setting of an agent with its source and the key that sets it.
   * @param id of an agent that exists
   */
  explain(id: string): readonly ExplainedSetting[] {
    const own = this.config.get('agents')[id] ?? {};
    const effective = readEffective((key) => this.config.get(key), id);
    return Object.entries(effective).map(([field, value]) => {
      const inherited =
        id === MAIN_AGENT && field === 'name' ? 'agent.name' : INHERITED[field as keyof typeof INHERITED];
      const key = Object.hasOwn(own, field) ? `agents.${id}.${field}` : inherited;
      return { field, value, key, source: key === undefined ? 'default' : this.config.sourceOf(key) };
    });
  }

  /** Returns the bindings of the agents of a tenant, or of `ALL_TENANTS`, in the order of the setting. */
  listBindingsOf(tenant: string): readonly IndexedBinding[] {
    return this.known.list.filter((bound) => isInScope(tenant, bound.tenant));
  }

  /** Returns the agent of a tenant's messages that no binding matches. */
  defaultOf(tenant: string): AgentDefinition {
    const { agents, defaults } = this.known;
    const agent = defaults.get(tenant) ?? defaults.get(DEFAULT_TENANT) ?? agents.get(MAIN_AGENT);
    if (!agent) throw removedAgent(MAIN_AGENT);
    return agent;
  }

  /** Returns the agent that answers a new message: that of the most specific binding, else the default of its tenant. */
  choose(message: BoundMessage): AgentDefinition {
    const { agents, bindings } = this.known;
    const bound = bindings.find(message);
    return (bound && agents.get(bound.binding.agent)) ?? this.defaultOf(message.tenant);
  }

  /** Returns all bindings that match a message, the most specific one first. */
  listBindings(message: BoundMessage): readonly IndexedBinding[] {
    return this.known.bindings.list(message);
  }

  private get known(): Known {
    return (this.current ??= this.read());
  }

  private read(): Known {
    const get = <K extends SettingKey>(key: K) => this.config.get(key);
    const agents = new Map(listAgentIds(get).map((id) => [id, defineAgent(get, id)]));
    const defaults = [...agents.values()].filter(({ isDefault }) => isDefault);
    const bindings = get('bindings').map((binding, index) => ({
      binding,
      index,
      tenant: agents.get(binding.agent)?.tenant ?? DEFAULT_TENANT,
    }));
    return {
      agents,
      defaults: new Map(defaults.map((agent) => [agent.tenant, agent])),
      bindings: new BindingIndex(bindings),
      list: bindings,
    };
  }
}
