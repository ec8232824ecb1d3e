import type { SettingsStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const SETTINGS_ROWS: Rows<SettingsStore> = {
  readSettings: read(({ settings }) => settings.read()),
  changeSettings: write(({ settings, now }, ...all) => settings.change(now, ...all), { before: 'config.mid' }),
  listSettingsVersions: read(({ settings }, ...all) => settings.listVersions(...all)),
};
