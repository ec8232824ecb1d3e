import { listClasses } from '../core/config/module-parts.js';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { isLoopbackHost } from '../http/addresses.js';

/** Marks the classes with `@VerifiesCredentials`. A string, so that it also works between two copies of this file. */
export const VERIFIER_MARK = 'openclaw:verifies-credentials';

/** The rule for gateways that have no credentials but those of the settings. */
export const exposureSettings = defineSettings({}, { rules: [findExposure] });

/** Returns whether Nest modules have a class with `@VerifiesCredentials`: with one the gateway is never open. */
export function haveVerifier(modules: readonly unknown[]): boolean {
  return listClasses(modules).some((target) => Reflect.hasOwnMetadata(VERIFIER_MARK, target));
}

/** Requires a credential for listening beyond loopback, and for a funnel. */
function findExposure(get: SettingsReader): SettingFault[] {
  const host = get('gateway.host');
  const hasCredential =
    Boolean(get('auth.token')) ||
    get('auth.tokens').length > 0 ||
    get('auth.jwt_issuers').length > 0 ||
    Boolean(get('auth.jwt') ?? get('auth.oidc'));
  if (hasCredential) return [];
  if (get('gateway.expose_via_tailscale') && get('gateway.tailscale_mode') === 'funnel') {
    const funnel =
      'funnel opens the gateway to the internet, and no credential is configured. ' +
      'Set auth.token (environment variable OPENCLAW_AUTH_TOKEN) or auth.tokens, or use serve';
    return [{ key: 'gateway.tailscale_mode', message: funnel }];
  }
  if (isLoopbackHost(host)) return [];
  const message =
    `${host} is reachable from other machines, and no credential is configured. ` +
    'Set auth.token (environment variable OPENCLAW_AUTH_TOKEN) or auth.tokens, or listen on 127.0.0.1';
  return [{ key: 'gateway.host', message }];
}
