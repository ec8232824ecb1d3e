import Type, { type TOptional } from 'typebox';
import { defineSettings } from '../core/config/section.js';
import { LOG_LEVELS, SUBSYSTEMS, type Subsystem } from '../core/telemetry/logs.js';

const LogLevelSetting = Type.Enum([...LOG_LEVELS]);
type LogLevelSetting = typeof LogLevelSetting;

const subsystemLevels = Object.fromEntries(
  SUBSYSTEMS.map((name) => {
    const description = `Level of the subsystem ${name.toUpperCase()}, if it differs from \`log.level\`.`;
    return [`log.${name}`, Type.Optional(Type.Enum(LogLevelSetting.enum, { description }))];
  }),
) as Record<`log.${Subsystem}`, TOptional<LogLevelSetting>>;

export const logSettings = defineSettings({
  'log.level': Type.Enum(LogLevelSetting.enum, { default: 'info', description: 'Level of all subsystems.' }),
  ...subsystemLevels,
});
