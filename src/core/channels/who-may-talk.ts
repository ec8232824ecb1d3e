import type { CommonAccountSettings } from './account-settings.js';
import type { Update } from './driver.js';

/** `pairing`: an unknown sender, who gets a code. */
export type Admission = 'admitted' | 'pairing' | 'ignored';

/**
 * Decides from the settings of an account whether an update may reach the agent.
 * @param firstGroupId the ID of the group before it moved
 */
export function decideAdmission(
  settings: CommonAccountSettings,
  { sender, groupId }: Update,
  firstGroupId = groupId,
): Admission {
  if (groupId !== undefined) {
    if (settings.group_policy === 'disabled') return 'ignored';
    return settings.group_policy === 'open' ||
      [groupId, firstGroupId].some((id) => id !== undefined && lists(settings.groups, id))
      ? 'admitted'
      : 'ignored';
  }
  if (lists(settings.allow_from, sender)) return 'admitted';
  return settings.dm_policy === 'pairing' ? 'pairing' : 'ignored';
}

/** Names may be numbers in the settings. */
function lists(names: readonly (string | number)[], name: string): boolean {
  return names.some((listed) => listed === '*' || String(listed) === name);
}
