import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';
import { suggest } from '../config/suggest.js';
import { BusyPolicy } from '../agents/agent-setting.js';

const OF_A_DRIVER = /^channels\.([^.]+)\.(.+)/;
const KNOWN = 'busy_policy';

/** Returns the channels whose drivers run in this gateway: those for which a module declares settings, from all keys. */
export function listDrivers(keys: readonly string[]): string[] {
  return [...new Set(keys.flatMap((key) => OF_A_DRIVER.exec(key)?.[1] ?? []))];
}

/** Settings of each channel. A driver declares its own settings below `channels.NAME`. */
export const channelSettings = defineSettings(
  {
    channels: Type.Record(Type.String(), Type.Object({ [KNOWN]: Type.Optional(BusyPolicy) }), {
      default: {},
      description: 'Settings by channel name: `{busy_policy}`.',
    }),
  },
  { rules: [findUnknown] },
);

/** Finds settings of channels that no driver has: a name may be misspelt. */
function findUnknown(get: SettingsReader, keys: readonly string[]): readonly SettingFault[] {
  const channels = get('channels') as Readonly<Record<string, object>>;
  return Object.entries(channels).flatMap(([name, settings]) =>
    Object.keys(settings)
      .filter((key) => key !== KNOWN)
      .map((key) => ({ key: `channels.${name}.${key}`, message: describeUnknown(name, key, keys) })),
  );
}

function describeUnknown(name: string, key: string, keys: readonly string[]): string {
  const drivers = listDrivers(keys);
  if (!drivers.includes(name))
    return `there is no driver for the channel ${name}${ask(suggest(name, drivers))}; there are ${drivers.toSorted().join(', ')}`;
  const known = keys.flatMap((one) => {
    const [, channel, own = ''] = OF_A_DRIVER.exec(one) ?? [];
    return channel === name ? own : [];
  });
  return `is not a setting of the channel ${name}${ask(suggest(key, known))}; there are ${known.toSorted().join(', ')}`;
}

const ask = (word: string | undefined) => (word === undefined ? '' : ` (did you mean ${word}?)`);
