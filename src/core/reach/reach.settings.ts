import Type from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';

/** Hosts whose pages browsers trust without TLS. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Where people reach the gateway. */
export const reachSettings = defineSettings(
  {
    'gateway.public_url': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        'x-scope': 'config:dangerous',
        description:
          'Where people reach the gateway, for links: https, or http on loopback. With Tailscale, its address by default. Its Host and Origin are allowed.',
      }),
    ),
  },
  { rules: [findUrlFaults] },
);

function findUrlFaults(get: SettingsReader): SettingFault[] {
  const text = get('gateway.public_url');
  if (text === undefined) return [];
  const url = URL.parse(text);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (url && isSafe && !/[?#]/.test(text) && url.username === '' && url.password === '') return [];
  const message = 'must be an https URL, or http on loopback, without a query, a fragment and a credential';
  return [{ key: 'gateway.public_url', message }];
}
