import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';
import { normaliseTimezone } from './timezone.js';

/** The cron scheduler. */
export const cronSettings = defineSettings(
  {
    'cron.timezone': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          'Zone of jobs that name none, such as `Europe/Paris`. A job keeps the zone that it was made with. Default: that of the machine.',
      }),
    ),
  },
  { rules: [findTimezoneFaults] },
);

function findTimezoneFaults(get: SettingsReader): SettingFault[] {
  const timezone = get('cron.timezone');
  try {
    if (timezone !== undefined) normaliseTimezone(timezone);
    return [];
  } catch (error) {
    return [{ key: 'cron.timezone', message: (error as Error).message }];
  }
}
