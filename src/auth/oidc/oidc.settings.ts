import Type, { type Static } from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../../core/config/section.js';
import { secret } from '../../core/config/setting-kinds.js';
import { Algorithms, ClaimsSetting, ClockTolerance, findClaimFaults } from '../jwt/jwt.settings.js';
import { isSafeAddress } from '../jwt/request-json.js';

export const OidcSetting = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 2_048 }),
    client_id: Type.String({ minLength: 1, maxLength: 256 }),
    client_secret: Type.Optional(secret({ minLength: 1 })),
    client_secret_file: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    scopes: Type.Optional(Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,128}$' }))),
    algorithms: Type.Optional(Algorithms),
    clock_tolerance_s: Type.Optional(ClockTolerance),
    claims: ClaimsSetting,
  },
  { additionalProperties: false },
);
export type OidcSetting = Static<typeof OidcSetting>;

/** The sign-in of pages by an identity provider. */
export const oidcSettings = defineSettings(
  {
    'auth.oidc': Type.Optional(
      Type.Unsafe<OidcSetting>({
        ...OidcSetting,
        'x-scope': 'tokens:write',
        'x-restart': true,
        description:
          'Sign-in of the pages by an identity provider: `{issuer, client_id, client_secret or client_secret_file, scopes (openid, profile), algorithms (RS256, ES256), clock_tolerance_s (60), claims}`, with `claims` as in `auth.jwt`. Needs `gateway.public_url`; the redirect address is `/auth/callback` below it.',
      }),
    ),
  },
  { rules: [findOidcFaults] },
);

function findOidcFaults(get: SettingsReader): SettingFault[] {
  const setting = get('auth.oidc');
  if (setting === undefined) return [];
  const fault = (isWrong: boolean, message: string) => (isWrong ? [{ key: 'auth.oidc', message }] : []);
  return [
    ...fault(
      get('gateway.public_url') === undefined,
      'needs gateway.public_url, to which the identity provider sends people back',
    ),
    ...fault(!isSafeAddress(setting.issuer), 'issuer must be https, or http on loopback'),
    ...fault(
      setting.client_secret !== undefined && setting.client_secret_file !== undefined,
      'must have one of client_secret and client_secret_file',
    ),
    ...fault(setting.scopes !== undefined && !setting.scopes.includes('openid'), 'scopes must have openid'),
    ...findClaimFaults('auth.oidc', setting.claims),
  ];
}
