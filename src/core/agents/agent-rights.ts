import { isDeepStrictEqual } from 'node:util';
import type { SettingsReader } from '../config/section.js';
import { DEFAULT_TENANT } from '../identity/principal.js';
import { listAgentIds, readEffective } from './agent-definition.js';
import type { BindingSetting } from './agent-setting.js';

/** The rights of an agent, and its place in its tenant. */
interface AgentRights {
  readonly id: string;
  readonly tenant: string;
  readonly isDefault: boolean;
  /** Equal for agents with equal permissions and tools. */
  readonly rights: string;
}

/**
 * Returns whether a change of the settings can lead messages to an agent with other permissions or tools. Such a
 * change adds or removes an agent, or changes a binding or the default agent, in a tenant whose agents differ in these.
 * @param before the settings without the change
 * @param after the settings with the change; both are valid
 */
export function canChangeRights(before: SettingsReader, after: SettingsReader): boolean {
  const [agentsBefore, agentsAfter] = [listRights(before), listRights(after)];
  const agents = [...agentsBefore, ...agentsAfter];
  // Thousands of bindings that stay take no time; if one counts for another tenant by now, its agent does too.
  const isBound = before('bindings') !== after('bindings');
  const routesBefore = listRoutes(agentsBefore, isBound ? before('bindings') : []);
  const routesAfter = listRoutes(agentsAfter, isBound ? after('bindings') : []);
  return [...new Set(agents.map(({ tenant }) => tenant))].some((tenant) => {
    // Those of the tenant `default` answer for a tenant without a default agent.
    const reachable = agents.filter((agent) => agent.tenant === tenant || agent.tenant === DEFAULT_TENANT);
    const isEqual = reachable.every(({ rights }) => rights === reachable[0]?.rights);
    return !isEqual && !isDeepStrictEqual(routesBefore.get(tenant), routesAfter.get(tenant));
  });
}

function listRights(get: SettingsReader): readonly AgentRights[] {
  return listAgentIds(get).map((id) => {
    const { tenant, default: isDefault, permissions, tools } = readEffective(get, id);
    const rights = JSON.stringify([permissions.toSorted(), tools.allow?.toSorted(), (tools.deny ?? []).toSorted()]);
    return { id, tenant, isDefault, rights };
  });
}

/** Returns the facts that decide which agent answers, by tenant: its agents with their defaults, and its bindings. */
function listRoutes(
  agents: readonly AgentRights[],
  bindings: readonly BindingSetting[],
): ReadonlyMap<string | undefined, readonly unknown[]> {
  const tenants = new Map(agents.map(({ id, tenant }) => [id, tenant]));
  return Map.groupBy(
    [
      ...agents
        .toSorted((one, other) => (one.id < other.id ? -1 : 1))
        .map(({ id, tenant, isDefault }) => ({ tenant, id, isDefault })),
      ...bindings.map((binding) => ({ tenant: tenants.get(binding.agent), binding })),
    ],
    ({ tenant }) => tenant,
  );
}
