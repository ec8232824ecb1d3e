import { GatewayError } from '../../protocol/domain.js';
import type { SettingKey, SettingsReader } from '../config/section.js';
import { DEFAULT_TENANT } from '../identity/principal.js';
import { MAIN_AGENT, type AgentSetting, type BusyPolicy } from './agent-setting.js';

/** The effective settings of one agent: its own, and those of `agent.*` where it has none. Immutable. */
export interface AgentDefinition {
  readonly id: string;
  /** The name that mentions use. */
  readonly name: string;
  /** One line for people and for other agents. */
  readonly description: string | undefined;
  readonly tenant: string;
  readonly isDefault: boolean;
  /** As configured: `auto` is not decided here. */
  readonly runtime: 'auto' | 'builtin' | 'pi';
  /** `provider/model`; undefined if no model is configured. */
  readonly model: string | undefined;
  /** Models that stand in for `model`, in order. */
  readonly fallbacks: readonly string[];
  readonly thinking: 'low' | 'medium' | 'high' | undefined;
  /** In tokens. */
  readonly maxOutputTokens: number | undefined;
  readonly turnTimeoutMs: number;
  /** Undefined: that of the channel or of `queue.busy_policy`. */
  readonly busyPolicy: BusyPolicy | undefined;
  readonly systemPrompt: string;
  /** Paths of files, relative ones from `ConfigStoreService.folder`. */
  readonly promptFiles: readonly string[];
  /** Paths of folders, relative ones from `ConfigStoreService.folder`. */
  readonly skills: readonly string[];
  /** Permissions that each of its sessions holds, besides those granted to it. */
  readonly permissions: readonly string[];
  /** Patterns of tool names with `*`. Without `allow` all are allowed; `deny` takes precedence. */
  readonly tools: { readonly allow: readonly string[] | undefined; readonly deny: readonly string[] };
  /** `agent`: all its sessions of a tenant share one workspace. */
  readonly workspace: 'session' | 'agent';
}

/** The permission to read skills, which each agent with skills has. */
export const SKILLS_PERMISSION = 'skills';

/** Where each field of an agent gets its value when `agents.ID` does not set it. */
export const INHERITED = {
  runtime: 'agent.runtime',
  model: 'agent.model',
  fallbacks: 'agent.fallbacks',
  thinking: 'agent.thinking',
  max_output_tokens: 'agent.max_output_tokens',
  turn_timeout_ms: 'agent.turn_timeout_ms',
  system_prompt: 'agent.system_prompt',
  permissions: 'tools.default_permissions',
} as const satisfies Partial<Record<keyof AgentSetting, SettingKey>>;

/**
 * Returns whether a session may see the model of its agent. A tenant without agents of its own uses one of the gateway,
 * and sees only its name.
 */
export function mayShowModel(agent: Pick<AgentDefinition, 'tenant'>, session: { readonly tenant: string }): boolean {
  return agent.tenant === session.tenant;
}

/** Returns the IDs of all agents, `main` first. */
export function listAgentIds(get: SettingsReader): readonly string[] {
  return [MAIN_AGENT, ...Object.keys(get('agents')).filter((id) => id !== MAIN_AGENT)];
}

/** Returns the effective settings of an agent. @param id one of {@link listAgentIds} */
export function defineAgent(get: SettingsReader, id: string): AgentDefinition {
  const own = readEffective(get, id);
  return {
    id,
    name: own.name,
    description: own.description,
    tenant: own.tenant,
    isDefault: own.default,
    runtime: own.runtime,
    model: own.model,
    fallbacks: own.fallbacks,
    thinking: own.thinking,
    maxOutputTokens: own.max_output_tokens,
    turnTimeoutMs: own.turn_timeout_ms,
    busyPolicy: own.busy_policy,
    systemPrompt: own.system_prompt,
    promptFiles: own.prompt_files,
    skills: own.skills,
    permissions: own.skills.length > 0 ? [...own.permissions, SKILLS_PERMISSION] : own.permissions,
    tools: { allow: own.tools.allow, deny: own.tools.deny ?? [] },
    workspace: own.workspace,
  };
}

/** Returns the effective settings of an agent under the names of `agents.ID`. @param id one of {@link listAgentIds} */
export function readEffective(get: SettingsReader, id: string): EffectiveSettings {
  const agents = get('agents');
  return { ...readDefaults(get, id), ...(Object.hasOwn(agents, id) ? (agents[id] as EffectiveSettings) : {}) };
}

/** Returns the settings of an agent that sets nothing itself. */
function readDefaults(get: SettingsReader, id: string): EffectiveSettings {
  return {
    name: id === MAIN_AGENT ? get('agent.name') : id,
    description: undefined,
    default: false,
    runtime: get(INHERITED.runtime),
    model: get(INHERITED.model),
    fallbacks: get(INHERITED.fallbacks),
    thinking: get(INHERITED.thinking),
    max_output_tokens: get(INHERITED.max_output_tokens),
    turn_timeout_ms: get(INHERITED.turn_timeout_ms),
    busy_policy: undefined,
    system_prompt: get(INHERITED.system_prompt),
    prompt_files: [],
    skills: [],
    permissions: get(INHERITED.permissions),
    tools: {},
    workspace: 'session',
    tenant: DEFAULT_TENANT,
  };
}

/** The settings of an agent with all fields. */
export type EffectiveSettings = Required<Omit<AgentSetting, Unset>> & {
  readonly [F in Unset]: AgentSetting[F] | undefined;
};

/** Fields that may be unset. */
type Unset = 'description' | 'model' | 'thinking' | 'max_output_tokens' | 'busy_policy';

/** Thrown for a turn of an agent that was removed. */
export function removedAgent(id: string): GatewayError<'AGENT_FAILED'> {
  return new GatewayError('AGENT_FAILED', { reason: `the agent ${id} does not exist any more` });
}
