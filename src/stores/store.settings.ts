import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { findStoreUrlFault, STORE_ENGINES } from './store-engines.js';

/** Which store the gateway uses. */
export const storeSettings = defineSettings(
  {
    'store.url': Type.String({
      default: 'sqlite:data/gateway.db',
      minLength: 1,
      description: `The database: ${STORE_ENGINES.map(({ description }) => description).join('; ')}.`,
      'x-restart': true,
      'x-start-only': 'it selects the database that stores changes',
    }),
  },
  { rules: [findStoreFaults] },
);

function findStoreFaults(get: SettingsReader): SettingFault[] {
  const message = findStoreUrlFault(get('store.url'));
  return message === undefined ? [] : [{ key: 'store.url', message }];
}
