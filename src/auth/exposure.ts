import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsError } from '../core/config/load-settings.js';
import { isLoopbackHost } from '../http/addresses.js';

/**
 * Refuses to listen beyond loopback with no credential configured: everybody who reaches the port would be an operator.
 * @throws SettingsError that says which setting to make
 */
export function checkExposure(config: ConfigStoreService): void {
  const host = config.get('gateway.host');
  const hasCredential = config.get('auth.token') !== undefined || config.get('auth.tokens').length > 0;
  if (hasCredential || isLoopbackHost(host)) return;
  const message =
    `${host} is reachable from other machines, and no credential is configured. ` +
    'Set auth.token (environment variable OPENCLAW_AUTH_TOKEN) or auth.tokens, or listen on 127.0.0.1';
  throw new SettingsError([{ key: 'gateway.host', message }]);
}
