import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { findStorePlaceFault, findStoreUrlFault, STORE_ENGINES } from './store-engines.js';

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
    'store.allow_network_fs': Type.Boolean({
      default: false,
      description: 'Allow a database on NFS, SMB, FUSE or 9p, where locks and syncs may not work.',
      'x-restart': true,
      'x-start-only': 'it decides about the place of the database that stores changes',
    }),
  },
  { rules: [findStoreFaults] },
);

function findStoreFaults(get: SettingsReader): SettingFault[] {
  const url = get('store.url');
  const message = findStoreUrlFault(url) ?? (get('store.allow_network_fs') ? undefined : findStorePlaceFault(url));
  return message === undefined ? [] : [{ key: 'store.url', message }];
}
