import type { CommonAccountSettings } from '../account-settings.js';

/** `pairing`: an unknown sender, who gets a code. */
export type Verdict = 'admitted' | 'pairing' | 'ignored';

/** Returns the first ID of a person, or of a chat. */
interface Identities {
  firstOf(id: string): string;
}

/** An author by the IDs in an update, and the group. */
interface Author {
  readonly ids: readonly string[];
  readonly groupId?: string | undefined;
}

/** Decides from the settings of an account whether an update may reach the agent. Settings may name any ID of a person or a group. */
export function decideAdmission(
  { group_policy, groups, allow_from, dm_policy }: CommonAccountSettings,
  { ids, groupId }: Author,
  { senders, moved }: { readonly senders: Identities; readonly moved: Identities },
): Verdict {
  if (groupId !== undefined) {
    if (group_policy === 'disabled') return 'ignored';
    return group_policy === 'open' || lists(groups, groupId, moved) ? 'admitted' : 'ignored';
  }
  if (ids.some((id) => lists(allow_from, id, senders))) return 'admitted';
  return dm_policy === 'pairing' ? 'pairing' : 'ignored';
}

/** Names may be numbers in the settings. */
function lists(names: readonly (string | number)[], name: string, identities: Identities): boolean {
  return names.some((listed) => listed === '*' || identities.firstOf(String(listed)) === identities.firstOf(name));
}
