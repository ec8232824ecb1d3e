import { isDeepStrictEqual } from 'node:util';
import type { SettingFault } from './section.js';

interface Change {
  /** Returns whether `key` is `outer` or a part of it. */
  readonly covers: (outer: string, key: string) => boolean;
  /** Returns the faults that are left without the change of `key`. */
  readonly without: (key: string) => readonly SettingFault[];
}

/** Returns faults at settings that did not change as those of the changes that cause them. @param keys what changes */
export function nameChanges(
  faults: readonly SettingFault[],
  keys: readonly string[],
  { covers, without }: Change,
): SettingFault[] {
  return faults.map((fault) => {
    const [place = fault.key] = fault.key.split('[');
    if (keys.some((key) => covers(key, place))) return fault;
    const isCause = (key: string) => !without(key).some((other) => isDeepStrictEqual(other, fault));
    const key = (keys.length === 1 ? undefined : keys.find(isCause)) ?? keys[0] ?? fault.key;
    return { key, message: `does not go with ${fault.key}: ${fault.message}` };
  });
}
