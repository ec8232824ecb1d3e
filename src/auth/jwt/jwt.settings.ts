import Type, { type Static } from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../../core/config/section.js';
import { ROLE_SCOPES } from '../../core/identity/principal.js';
import { Role, SCOPES } from '../../protocol/index.js';
import { isSafeAddress } from './request-json.js';

/** Signatures with public keys. With a shared key, a party that can check a token can also make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

/** The algorithms that an issuer may sign with. */
export const Algorithms = Type.Array(Type.Enum([...ALGORITHMS]), { minItems: 1 });
export const DEFAULT_ALGORITHMS = ['RS256', 'ES256'] as const;
/** Seconds by which the clock of an issuer may be ahead. */
export const ClockTolerance = Type.Integer({ minimum: 0, maximum: 300 });
export const DEFAULT_TOLERANCE_S = 60;

const ClaimName = Type.String({ minLength: 1, maxLength: 256 });
const BoundName = Type.String({ minLength: 1, maxLength: 256 });

/** The rights of the members of a group. */
const GroupRights = Type.Object(
  {
    role: Role,
    scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]))),
    channels: Type.Optional(Type.Array(BoundName, { minItems: 1 })),
  },
  { additionalProperties: false },
);
export type GroupRights = Static<typeof GroupRights>;

/** The claims of a token that decide its principal. A name with dots is also a path: `realm_access.roles`. */
export const ClaimsSetting = Type.Object(
  {
    principal: Type.Optional(ClaimName),
    prefix: Type.Optional(Type.String({ pattern: '^[^\\p{Cc}\\p{Cs}]{1,64}$' })),
    tenant: Type.Optional(ClaimName),
    sender: Type.Optional(ClaimName),
    groups: Type.Optional(ClaimName),
    roles: Type.Record(Type.String({ minLength: 1, maxLength: 256 }), GroupRights, { minProperties: 1 }),
  },
  { additionalProperties: false },
);
export type ClaimsSetting = Static<typeof ClaimsSetting>;

export const JwtSetting = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 2_048 }),
    audience: Type.String({ minLength: 1, maxLength: 256 }),
    jwks_url: Type.Optional(Type.String({ minLength: 1, maxLength: 2_048 })),
    jwks_file: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    algorithms: Type.Optional(Algorithms),
    clock_tolerance_s: Type.Optional(ClockTolerance),
    max_lifetime_s: Type.Optional(Type.Integer({ minimum: 60, maximum: 315_360_000 })),
    claims: ClaimsSetting,
  },
  { additionalProperties: false },
);
export type JwtSetting = Static<typeof JwtSetting>;

/** Tokens of an identity provider. */
export const jwtSettings = defineSettings(
  {
    'auth.jwt': Type.Optional(
      Type.Unsafe<JwtSetting>({
        ...JwtSetting,
        'x-scope': 'tokens:write',
        'x-restart': true,
        description:
          'Tokens of an identity provider: `{issuer, audience, jwks_url or jwks_file (default: found by the issuer), algorithms (RS256, ES256), clock_tolerance_s (60), max_lifetime_s (a day; 30 days for roles channel and node), claims: {principal (sub), prefix?, tenant?, sender?, groups (groups), roles: {GROUP: {role, scopes?, channels?}}}}`.',
      }),
    ),
    'auth.jwt_issuers': Type.Unsafe<readonly JwtSetting[]>({
      ...Type.Array(JwtSetting, { maxItems: 32 }),
      default: [],
      'x-scope': 'tokens:write',
      'x-restart': true,
      description:
        'Tokens of further identity providers, each as in `auth.jwt`. The principals of different ones differ by `claims.prefix`.',
    }),
  },
  { rules: [findJwtFaults, findRepeatedIssuers] },
);

/** Lists the issuers of tokens. */
export function listIssuers(get: SettingsReader): readonly JwtSetting[] {
  const first = get('auth.jwt');
  return [...(first ? [first] : []), ...get('auth.jwt_issuers')];
}

/** Returns the prefixes of the names that issuers give. */
export function listPrefixes(get: SettingsReader): ReadonlySet<string> {
  const page = get('auth.oidc');
  return new Set([...listIssuers(get), ...(page ? [page] : [])].map(({ claims }) => claims.prefix ?? ''));
}

function findJwtFaults(get: SettingsReader): SettingFault[] {
  const first = get('auth.jwt');
  return [
    ...(first ? findIssuerFaults('auth.jwt', first) : []),
    ...get('auth.jwt_issuers').flatMap((setting, n) => findIssuerFaults(`auth.jwt_issuers[${n}]`, setting)),
  ];
}

/**
 * Checks that no issuer is there twice, and that no one of one issuer can have the name of one of another. The sign-in of
 * pages is by people of the same names, so the same issuer has the same prefix there.
 */
function findRepeatedIssuers(get: SettingsReader): SettingFault[] {
  const page = get('auth.oidc');
  const known = new Map<string, string>(page ? [[page.issuer, page.claims.prefix ?? '']] : []);
  const faults: SettingFault[] = [];
  const seen = new Set<string>();
  const fault = (key: string, message: string) => faults.push({ key, message });
  for (const { issuer, claims } of listIssuers(get)) {
    const key = issuer === get('auth.jwt')?.issuer ? 'auth.jwt' : 'auth.jwt_issuers';
    const prefix = claims.prefix ?? '';
    if (seen.has(issuer)) fault('auth.jwt_issuers', `${issuer} is there twice`);
    else if (known.has(issuer) && known.get(issuer) !== prefix)
      fault(key, `claims.prefix of ${issuer} must be the same as in auth.oidc`);
    else if ([...known].some(([other, taken]) => other !== issuer && taken === prefix))
      fault(key, `${issuer} needs a claims.prefix that no other issuer has, so that their people have different names`);
    seen.add(issuer);
    known.set(issuer, prefix);
  }
  return faults;
}

function findIssuerFaults(key: string, setting: JwtSetting): SettingFault[] {
  const { issuer, jwks_url: url, jwks_file: file } = setting;
  const fault = (message: string): SettingFault => ({ key, message });
  return [
    ...(url !== undefined && file !== undefined ? [fault('must have one of jwks_url and jwks_file')] : []),
    ...(url !== undefined && !isSafeAddress(url) ? [fault('jwks_url must be https, or http on loopback')] : []),
    ...(url === undefined && file === undefined && !isSafeAddress(issuer)
      ? [fault('without jwks_url and jwks_file the issuer must be https, or http on loopback')]
      : []),
    ...findClaimFaults(key, setting.claims),
  ];
}

/** Checks that groups have scopes of their roles only. @param key the setting with the claims */
export function findClaimFaults(key: string, { roles }: ClaimsSetting): SettingFault[] {
  return Object.entries(roles).flatMap(([group, { role, scopes = [] }]) => {
    const foreign = scopes.filter((scope) => !ROLE_SCOPES[role].includes(scope));
    if (foreign.length === 0) return [];
    return [{ key, message: `claims.roles.${group}: role ${role} cannot hold ${foreign.join(', ')}` }];
  });
}
