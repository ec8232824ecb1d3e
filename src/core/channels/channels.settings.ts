import Type from 'typebox';
import { defineSettings } from '../config/section.js';
import { BusyPolicy } from '../agents/agent-setting.js';

const OF_A_DRIVER = /^channels\.([^.]+)\./;

/** Returns the channels whose drivers run in this gateway: those for which a module declares settings, from all keys. */
export function listDrivers(keys: readonly string[]): string[] {
  return [...new Set(keys.flatMap((key) => OF_A_DRIVER.exec(key)?.[1] ?? []))];
}

/** Settings of each channel. A driver declares its own settings below `channels.NAME`. */
export const channelSettings = defineSettings({
  channels: Type.Record(
    Type.String(),
    Type.Object({ busy_policy: Type.Optional(BusyPolicy) }, { additionalProperties: false }),
    { default: {}, description: 'Settings by channel name: `{busy_policy}`.', 'x-later-below': true },
  ),
});
