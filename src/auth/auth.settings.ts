import Type, { type Static } from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../core/config/section.js';
import { laterBelow } from '../core/config/setting-kinds.js';
import { listDrivers } from '../core/channels/channels.settings.js';
import { isReservedPrincipal, ROLE_SCOPES } from '../core/identity/principal.js';
import { TenantScope } from '../core/identity/tenant-name.js';
import { TOKEN_PATTERN } from '../protocol/constants.js';
import { Role, SCOPES } from '../protocol/index.js';
import { digest } from './digest.js';
import { findUserFaults, TailscaleUsers } from './tailscale-users.js';

const BoundName = Type.String({ minLength: 1, maxLength: 256 });

/** One static token. */
export const TokenSetting = Type.Object(
  {
    token: Type.Optional(Type.String({ pattern: TOKEN_PATTERN.source, 'x-secret': true })),
    token_sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', 'x-secret': true })),
    principal: BoundName,
    role: Role,
    scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]))),
    tenant: Type.Optional(TenantScope()),
    channels: Type.Optional(Type.Array(BoundName, { minItems: 1 })),
    sender: Type.Optional(BoundName),
    tool_permissions: Type.Optional(Type.Array(BoundName)),
    agents: laterBelow(),
  },
  { additionalProperties: false },
);
export type TokenSetting = Static<typeof TokenSetting>;

/** The static tokens. */
export const authSettings = defineSettings(
  {
    'auth.tokens': Type.Array(TokenSetting, {
      default: [],
      'x-scope': 'tokens:write',
      description:
        'Static tokens: `{token or token_sha256, principal, role, scopes?, tenant?, channels?, sender?, tool_permissions?}`; without `tool_permissions`, the permissions of the session apply.',
      'x-restart': true,
    }),
    'auth.token': Type.Optional(
      Type.String({
        pattern: TOKEN_PATTERN.source,
        'x-secret': true,
        'x-scope': 'tokens:write',
        description: 'Shorthand for one operator token.',
        'x-restart': true,
      }),
    ),
    'auth.tailscale': Type.Unsafe<boolean | 'trust-local'>({
      enum: [false, true, 'trust-local'],
      default: false,
      'x-scope': 'config:dangerous',
      'x-restart': true,
      description:
        'Let people in by the headers of Tailscale Serve: `true` on the unix socket `gateway.tailscale_listen`; `trust-local` on the port too, where each process of this machine can act as each user of the tailnet.',
    }),
    'auth.tailscale_users': Type.Unsafe<TailscaleUsers>({
      ...TailscaleUsers,
      default: {},
      'x-scope': 'config:dangerous',
      'x-restart': true,
      description:
        'What they may do: login, or a pattern with `*`, to a role or `{role, scopes?}`. Others are refused.',
    }),
  },
  { rules: [findTokenFaults, findUserFaults] },
);

/**
 * Checks that each entry has exactly one of token and digest and only scopes of its role, and that credentials are
 * unique.
 */
function findTokenFaults(get: SettingsReader, keys: readonly string[]): SettingFault[] {
  const drivers = listDrivers(keys);
  const seen = new Set<string>();
  const findRepeat = (key: string, sha256: string): SettingFault[] => {
    if (seen.has(sha256)) return [{ key, message: 'is the same credential as an earlier one' }];
    seen.add(sha256);
    return [];
  };
  const faults = get('auth.tokens').flatMap((setting, i): SettingFault[] => {
    const key = `auth.tokens[${i}]`;
    const { token, token_sha256, role, sender, scopes = [] } = setting;
    if ((token === undefined) === (token_sha256 === undefined)) {
      return [{ key, message: 'must have exactly one of token and token_sha256' }];
    }
    if (sender !== undefined && role !== 'user') return [{ key, message: 'sender is for role user only' }];
    if (isReservedPrincipal(setting.principal, role, drivers))
      return [
        { key, message: `the principal ${setting.principal} is reserved for the gateway itself; choose another name` },
      ];
    const foreign = scopes.filter((scope) => !ROLE_SCOPES[role].includes(scope));
    const message = `role ${role} cannot hold ${foreign.join(', ')}; allowed: ${ROLE_SCOPES[role].join(', ')}`;
    return [
      ...(foreign.length > 0 ? [{ key: `${key}.scopes`, message }] : []),
      ...findRepeat(key, token_sha256 ?? digest(token ?? '')),
    ];
  });
  const shorthand = get('auth.token');
  return shorthand === undefined ? faults : [...faults, ...findRepeat('auth.token', digest(shorthand))];
}
