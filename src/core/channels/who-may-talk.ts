import type { CommonAccountSettings } from './account-settings.js';
import type { Update } from './driver.js';

/** `pairing`: an unknown sender, who gets a code. */
export type Admission = 'admitted' | 'pairing' | 'ignored';

/** Decides from the settings of an account whether an update may reach the agent. */
export function decideAdmission(settings: CommonAccountSettings, { sender, groupId }: Update): Admission {
  if (groupId !== undefined) {
    if (settings.group_policy === 'disabled') return 'ignored';
    return settings.group_policy === 'open' || lists(settings.groups, groupId) ? 'admitted' : 'ignored';
  }
  if (lists(settings.allow_from, sender)) return 'admitted';
  return settings.dm_policy === 'pairing' ? 'pairing' : 'ignored';
}

/** Names may be numbers in the settings. */
function lists(names: readonly (string | number)[], name: string): boolean {
  return names.some((listed) => listed === '*' || String(listed) === name);
}
