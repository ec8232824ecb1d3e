import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';
import { DEFAULT_TENANT } from '../identity/principal.js';
import {
  AGENT_ID,
  AgentSetting,
  BINDING_FIELDS,
  BindingSetting,
  MAIN_AGENT,
  type BindingField,
  MentionName,
} from './agent-setting.js';
import { BindingIndex } from './binding-index.js';

/** Maximum number of bindings, so that a change of settings stays a matter of milliseconds. */
const MAX_BINDINGS = 100_000;

/** The agents, which of them answers, and what they have in common. */
export const agentListSettings = defineSettings(
  {
    'agent.name': Type.String({
      ...MentionName,
      default: 'openclaw',
      description: 'The name that mentions of the agent `main` use: `@openclaw`. Letters, digits, `_` and `-`.',
    }),
    agents: Type.Record(Type.String({ pattern: AGENT_ID.source }), AgentSetting, {
      default: {},
      additionalProperties: false,
      'x-keys': 'IDs of 1 to 32 of a-z, 0-9 and -, for example support-eu',
      'x-parts': true,
      description:
        'Agents by ID (`a-z0-9-`): `{name?, description?, default?, runtime?, model?, fallbacks?, thinking?, max_output_tokens?, turn_timeout_ms?, busy_policy?, system_prompt?, prompt_files?, skills?, permissions?, tools?: {allow?, deny?}, workspace?, tenant?}`. What is left out is as in `agent.*` and `tools.default_permissions`. `main` always exists. Can be changed one field at a time: `agents.ops.model`.',
    }),
    bindings: Type.Array(BindingSetting, {
      default: [],
      maxItems: MAX_BINDINGS,
      description:
        'Which agent answers which messages: `{agent, channel?, account?, group_id?, thread_id?, sender?, queue?, principal?, tenant?}`. The most specific binding counts; without one the default agent of the tenant answers. A change needs the scope `config:dangerous` when the agents of the tenant differ in permissions or tools; so do other default agents, new and removed agents.',
    }),
  },
  { rules: [findAgentFaults, findBindingFaults] },
);

/** `main` belongs to all tenants, and a tenant has at most one default agent. */
function findAgentFaults(get: SettingsReader): SettingFault[] {
  return [...findPermissionFaults(get), ...findDefaultFaults(get)];
}

function findDefaultFaults(get: SettingsReader): SettingFault[] {
  const defaults = new Map<string, string>();
  return Object.entries(get('agents')).flatMap(
    ([id, { tenant = DEFAULT_TENANT, default: isDefault }]): SettingFault[] => {
      if (id === MAIN_AGENT && tenant !== DEFAULT_TENANT)
        return [
          {
            key: 'agents.main.tenant',
            message: `must be ${DEFAULT_TENANT}: ${MAIN_AGENT} stands in for the default agent of every tenant`,
          },
        ];
      if (!isDefault) return [];
      const other = defaults.get(tenant);
      if (other !== undefined)
        return [{ key: `agents.${id}.default`, message: `${other} is the default agent of tenant ${tenant} already` }];
      defaults.set(tenant, id);
      return [];
    },
  );
}

/** A binding names an agent and messages that it can get, and no two are equal. */
function findBindingFaults(get: SettingsReader): SettingFault[] {
  const agents = get('agents');
  const seen = new BindingIndex();
  return get('bindings').flatMap((binding, i): SettingFault[] => {
    const key = `bindings[${i}]`;
    const { agent } = binding;
    if (agent !== MAIN_AGENT && !Object.hasOwn(agents, agent))
      return [{ key: `${key}.agent`, message: `there is no agent ${agent}` }];
    const tenant = agents[agent]?.tenant ?? DEFAULT_TENANT;
    if (binding.tenant !== undefined && binding.tenant !== tenant)
      return [{ key: `${key}.tenant`, message: `the agent ${agent} is of tenant ${tenant}` }];
    if (BINDING_FIELDS.every((field) => binding[field] === undefined))
      return [
        {
          key,
          message: `needs at least one of ${BINDING_FIELDS.join(', ')}; for all messages set agents.${agent}.default`,
        },
      ];
    const never = findNever(binding);
    if (never) return [{ key: `${key}.${never.field}`, message: never.message }];
    const equal = seen.add({ binding, index: i, tenant });
    return equal ? [{ key, message: `has the same fields and values as bindings[${equal.index}]` }] : [];
  });
}

const ASK = 'agents:';

/** A permission to ask one agent names one of the same tenant. */
function findPermissionFaults(get: SettingsReader): SettingFault[] {
  const agents = get('agents');
  const tenantOf = (id: string) =>
    id === MAIN_AGENT || Object.hasOwn(agents, id) ? (agents[id]?.tenant ?? DEFAULT_TENANT) : undefined;
  return Object.entries(agents).flatMap(([id, { permissions = [] }]) =>
    permissions.flatMap((permission): SettingFault[] => {
      const asked = permission.startsWith(ASK) ? permission.slice(ASK.length) : undefined;
      if (asked === undefined || tenantOf(asked) === tenantOf(id)) return [];
      return [{ key: `agents.${id}.permissions`, message: `"${permission}": its tenant has no agent ${asked}` }];
    }),
  );
}

/** Returns the field with which a binding matches no message at all; undefined if there is none. */
function findNever({ channel, account }: BindingSetting): { field: BindingField; message: string } | undefined {
  if (channel?.includes('*') || account?.includes('*'))
    return {
      field: channel?.includes('*') ? 'channel' : 'account',
      message: 'has no patterns, so it would match nothing; leave it out for all',
    };
  const dot = channel?.indexOf('.') ?? -1;
  const own = dot === -1 ? undefined : channel?.slice(dot + 1);
  return own === undefined || account === undefined || account === own
    ? undefined
    : { field: 'account', message: `is not that of the channel, "${own}", so it would match nothing` };
}
