import type { CommonAccountSettings } from './account-settings.js';
import type { Update } from './driver.js';

/** `pairing`: an unknown sender, who gets a code. */
export type Verdict = 'admitted' | 'pairing' | 'ignored';

/** Returns the first ID of a person, or of a chat. */
interface Identities {
  firstOf(id: string): string;
}

/** Decides from the settings of an account whether an update may reach the agent. Settings may name any ID of a person or a group. */
export function decideAdmission(
  { group_policy, groups, allow_from, dm_policy }: CommonAccountSettings,
  { sender, groupId }: Pick<Update, 'sender' | 'groupId'>,
  { senders, moved }: { readonly senders: Identities; readonly moved: Identities },
): Verdict {
  if (groupId !== undefined) {
    if (group_policy === 'disabled') return 'ignored';
    return group_policy === 'open' || lists(groups, groupId, moved) ? 'admitted' : 'ignored';
  }
  if (lists(allow_from, sender, senders)) return 'admitted';
  return dm_policy === 'pairing' ? 'pairing' : 'ignored';
}

/** Names may be numbers in the settings. */
function lists(names: readonly (string | number)[], name: string, identities: Identities): boolean {
  return names.some((listed) => listed === '*' || identities.firstOf(String(listed)) === identities.firstOf(name));
}
