import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { findStoreUrlFault } from './store-urls.js';

/** Which store the gateway uses. */
export const storeSettings = defineSettings(
  {
    'store.url': Type.String({
      default: 'sqlite:data/gateway.db',
      minLength: 1,
      description: 'Where everything is kept: `sqlite:PATH`, or `sqlite::memory:` for tests.',
      'x-restart': true,
      'x-start-only': 'it says where changes are kept',
    }),
  },
  { rules: [findStoreFaults] },
);

function findStoreFaults(get: SettingsReader): SettingFault[] {
  const message = findStoreUrlFault(get('store.url'));
  return message === undefined ? [] : [{ key: 'store.url', message }];
}
