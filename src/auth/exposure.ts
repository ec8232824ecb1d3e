import type { ConfigStoreService, SettingsRule } from '../core/config/config-store.service.js';
import { SettingsError } from '../core/config/load-settings.js';
import { isLoopbackHost } from '../http/addresses.js';

/** Listening beyond loopback takes a credential: without one everybody who reaches the port would be an operator. */
export const exposureRule: SettingsRule = (get) => {
  const host = get('gateway.host');
  const hasCredential = Boolean(get('auth.token')) || get('auth.tokens').length > 0;
  if (hasCredential || isLoopbackHost(host)) return undefined;
  const message =
    `${host} is reachable from other machines, and no credential is configured. ` +
    'Set auth.token (environment variable OPENCLAW_AUTH_TOKEN) or auth.tokens, or listen on 127.0.0.1';
  return { key: 'gateway.host', message };
};

/**
 * Refuses to start against {@link exposureRule}.
 * @throws SettingsError that says which setting to make
 */
export function checkExposure(config: ConfigStoreService): void {
  const fault = exposureRule((key) => config.get(key));
  if (fault) throw new SettingsError([fault]);
}
