import type { SettingFault, SettingsReader } from '../core/config/section.js';
import { isLoopbackHost } from '../http/addresses.js';

/** Requires a credential for listening beyond loopback. */
export function findExposure(get: SettingsReader): SettingFault[] {
  const host = get('gateway.host');
  if (isLoopbackHost(host)) return [];
  const hasCredential = Boolean(get('auth.token')) || get('auth.tokens').length > 0;
  if (hasCredential) return [];
  const message =
    `${host} is reachable from other machines, and no credential is configured. ` +
    'Set auth.token (environment variable OPENCLAW_AUTH_TOKEN) or auth.tokens, or listen on 127.0.0.1';
  return [{ key: 'gateway.host', message }];
}
