import Type, { type Static, type TSchema, type TSchemaOptions } from 'typebox';
import { SCOPES } from '../../protocol/domain.js';
import { SUBSYSTEMS } from '../telemetry/logs.js';
import { McpServerSetting } from './mcp-settings.js';
import { ProviderSetting } from './providers.js';
import { HttpToolSettings, SandboxSettings } from './tool-settings.js';

/**
 * Every setting, once: its type, range, default and what it is for (settings.md section 1). The loader, the reference
 * and the run-time configuration read this schema.
 *
 * Annotations: `default`; `x-restart`: a change needs a restart; `x-secret`: never shown; `x-later`: a setting of the
 * specification whose feature is not here yet, refused by name when it is set.
 */
const live = (options: TSchemaOptions & { description: string }) => options;
const fixed = (options: TSchemaOptions & { description: string }) => ({ ...options, 'x-restart': true });
const later = (description: string): TSchema => Type.Unknown({ description, 'x-later': true });

/** Nothing that a browser would run. */
const MEDIA_TYPES = [
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/mp4'],
  ...['video/mp4', 'video/webm', 'application/pdf', 'text/plain'],
];
const LARGEST_LIMIT = 10_000_000;
const count = (value: number, description: string) =>
  Type.Integer(live({ minimum: 1, maximum: LARGEST_LIMIT, default: value, description }));

/** Tokens must fit into a WebSocket subprotocol (protocol.md section 1). */
export const TOKEN_PATTERN = '^[A-Za-z0-9._~-]{16,4096}$';

const ToolName = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' });
const BoundName = Type.String({ minLength: 1, maxLength: 256 });

export const TokenSetting = Type.Object(
  {
    token: Type.Optional(Type.String({ pattern: TOKEN_PATTERN, 'x-secret': true })),
    token_sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', 'x-secret': true })),
    principal: BoundName,
    role: Type.Enum(['channel', 'user', 'node', 'operator']),
    scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]))),
    tenant: Type.Optional(BoundName),
    channels: Type.Optional(Type.Array(BoundName, { minItems: 1 })),
    sender: Type.Optional(BoundName),
    tool_permissions: Type.Optional(Type.Array(BoundName)),
  },
  { additionalProperties: false },
);
export type TokenSetting = Static<typeof TokenSetting>;

/** What a message does that arrives during a turn. */
const BUSY_POLICIES = ['followup', 'steer', 'collect', 'interrupt'] as const;
const BusyPolicy = Type.Enum([...BUSY_POLICIES]);
export type BusyPolicy = Static<typeof BusyPolicy>;

export const LogLevelSetting = Type.Enum(['trace', 'debug', 'info', 'warn', 'error']);

const SYSTEM_PROMPT =
  'You are a helpful assistant that people talk to through messaging apps. Answer in the language of the message, ' +
  'briefly unless more is asked for.';

export const SettingsSchema = Type.Object({
  gateway: Type.Object({
    host: Type.String(
      fixed({
        default: '127.0.0.1',
        minLength: 1,
        description: 'Address to listen on. Anything but loopback needs a credential.',
      }),
    ),
    port: Type.Integer(
      fixed({
        default: 18_789,
        minimum: 0,
        maximum: 65_535,
        description: 'Port for HTTP and WebSocket; 0 picks a free one, printed at start.',
      }),
    ),
    allowed_origins: Type.Array(
      Type.String({ pattern: '^https?://[^/]+$' }),
      live({ default: [], description: 'Origins of web pages that may connect, besides loopback on the own port.' }),
    ),
    allowed_hosts: Type.Array(
      Type.String({ minLength: 1 }),
      live({
        default: [],
        description: 'Host names under which the gateway may be called, besides loopback and the bound host.',
      }),
    ),
    trusted_proxies: Type.Array(
      Type.String({ minLength: 1 }),
      fixed({ default: [], description: 'Addresses or CIDR ranges of proxies whose forwarding headers count.' }),
    ),
    max_frame_bytes: Type.Integer(
      fixed({ default: 262_144, minimum: 1_024, maximum: 1_048_576, description: 'Largest inbound frame, in bytes.' }),
    ),
    heartbeat_interval_ms: Type.Integer(
      fixed({
        default: 30_000,
        minimum: 1_000,
        maximum: 3_600_000,
        description: 'How often the gateway pings, in milliseconds.',
      }),
    ),
    drain_timeout_ms: Type.Integer(
      live({
        default: 30_000,
        minimum: 0,
        maximum: 3_600_000,
        description: 'How long running turns may take to finish at shutdown, in milliseconds.',
      }),
    ),
    expose_via_tailscale: later('Expose the gateway through Tailscale.'),
    tailscale_mode: later('`serve` or `funnel`.'),
  }),
  store: Type.Object({
    url: Type.String(
      fixed({
        default: 'sqlite:data/gateway.db',
        pattern: '^sqlite:.+$',
        'x-secret-url': true,
        description: 'Where everything is kept: `sqlite:PATH`, or `sqlite::memory:` for tests.',
      }),
    ),
    retention_hours: Type.Number(
      live({ default: 24, minimum: 1, maximum: 8_760, description: 'How long frames can be resumed, in hours.' }),
    ),
    session_ttl_hours: Type.Number(
      live({
        default: 0,
        minimum: 0,
        maximum: 876_000,
        description: 'Sessions idle for longer are deleted with all they have; 0 means never.',
      }),
    ),
  }),
  auth: Type.Object({
    tokens: Type.Array(
      TokenSetting,
      fixed({
        default: [],
        description:
          'Static tokens: `{token or token_sha256, principal, role, scopes?, tenant?, channels?, sender?, tool_permissions?}`; without `tool_permissions` what the session holds decides.',
      }),
    ),
    token: Type.Optional(
      Type.String(
        fixed({ pattern: TOKEN_PATTERN, 'x-secret': true, description: 'Shorthand for one operator token.' }),
      ),
    ),
    jwt: later('Tokens of an identity provider.'),
    tailscale: later('Accept Tailscale Serve identity headers.'),
  }),
  agent: Type.Object({
    name: Type.String(
      live({
        default: 'openclaw',
        pattern: '^[\\p{L}\\p{N}_-]{1,64}$',
        description: 'The name that mentions use: `@openclaw`. Letters, digits, `_` and `-`.',
      }),
    ),
    runtime: Type.Enum(
      ['auto', 'builtin', 'pi'],
      live({
        default: 'auto',
        description: 'What answers; `auto` is `pi` when a model is configured and the built-in agent otherwise.',
      }),
    ),
    model: Type.Optional(
      Type.String(
        live({ pattern: '^[^/\\s]+/\\S+$', maxLength: 512, description: 'The model that answers, `provider/model`.' }),
      ),
    ),
    system_prompt: Type.String(
      live({ default: SYSTEM_PROMPT, maxLength: 65_536, description: 'What the model is told of its task.' }),
    ),
    max_attempts: Type.Integer(
      live({
        default: 3,
        minimum: 1,
        maximum: 100,
        description: 'A turn that was interrupted this often is given up.',
      }),
    ),
    turn_timeout_ms: Type.Integer(
      live({ default: 600_000, minimum: 100, maximum: 86_400_000, description: 'Longest turn, in milliseconds.' }),
    ),
    concurrency: Type.Integer(
      live({ default: 64, minimum: 1, maximum: 100_000, description: 'Turns that run at the same time.' }),
    ),
  }),
  providers: Type.Record(
    Type.String({ pattern: '^[^/\\s]{1,64}$' }),
    ProviderSetting,
    live({
      default: {},
      description:
        'Model providers by name: `{api, base_url, api_key?, headers?, context_window?, max_output_tokens?, images?, thinking?, max_retries?, idle_timeout_ms?}`.',
    }),
  ),
  queue: Type.Object({
    max_per_session: count(100, 'Messages that may wait or run in one session.'),
    max_per_client: count(1_000, 'Messages that may wait or run for one client.'),
    max_total: count(100_000, 'Messages that may wait or run altogether.'),
    busy_policy: Type.Enum(
      [...BUSY_POLICIES],
      live({
        default: 'followup',
        description:
          'What a message does that arrives during a turn: `followup` waits, `steer` joins the running turn where a model answers, `collect` waits and is answered together with all that wait, `interrupt` cancels the running turn.',
      }),
    ),
  }),
  limits: Type.Object({
    messages_per_minute: count(600, 'Messages a minute for one client (for role channel: for one sender).'),
    connections_per_address: count(200, 'Open connections from one address.'),
  }),
  channels: Type.Record(
    Type.String(),
    Type.Object({ busy_policy: Type.Optional(BusyPolicy) }, { additionalProperties: false }),
    live({ default: {}, description: 'By channel name: `{busy_policy}`.' }),
  ),
  tools: Type.Object({
    disabled: Type.Array(ToolName, live({ default: [], description: 'Tools that nobody may use at the moment.' })),
    default_permissions: Type.Array(
      BoundName,
      live({ default: [], description: 'Permissions that every session holds, besides those granted to it.' }),
    ),
    approvals: Type.Array(
      ToolName,
      live({
        default: [],
        description: 'Tools whose calls a person must approve, besides those that ask for it themselves.',
      }),
    ),
    approval_timeout_ms: Type.Integer(
      live({
        default: 300_000,
        minimum: 1_000,
        maximum: 86_400_000,
        description: 'How long a call waits for its approval, in milliseconds.',
      }),
    ),
    concurrency: Type.Integer(
      live({
        default: 32,
        minimum: 1,
        maximum: 10_000,
        description:
          'Tool calls that run at the same time; others wait. A session runs half of them at most; each tenant runs an eighth even when all are taken.',
      }),
    ),
    sandbox: SandboxSettings,
    http: HttpToolSettings,
  }),
  mcp: Type.Object({
    servers: Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9-]{1,32}$' }),
      McpServerSetting,
      fixed({
        default: {},
        additionalProperties: false,
        description:
          'MCP servers whose tools are used, by name: `{command, args?, env?}` or `{url, headers?}`, and `timeout_ms?`.',
      }),
    ),
  }),
  telemetry: later('Traces and metrics export.'),
  media: Type.Object({
    folder: Type.String(fixed({ default: 'data/media', minLength: 1, description: 'Where uploaded files are kept.' })),
    max_bytes: Type.Integer(
      live({
        default: 20_971_520,
        minimum: 1,
        maximum: 1_073_741_824,
        description: 'Largest file that may be uploaded, in bytes.',
      }),
    ),
    types: Type.Array(
      Type.String({ pattern: '^[a-z]+/[a-z0-9.+-]+$' }),
      live({ default: MEDIA_TYPES, description: 'What may be uploaded, by its content.' }),
    ),
  }),
  modules: Type.Array(
    Type.String({ minLength: 1 }),
    fixed({
      default: [],
      description: 'Nest modules of a team to load: paths (relative to the working directory) or package names.',
    }),
  ),
  log: Type.Object({
    level: Type.Enum(
      ['trace', 'debug', 'info', 'warn', 'error'],
      live({ default: 'info', description: 'Level of all subsystems.' }),
    ),
    ...(Object.fromEntries(
      SUBSYSTEMS.map((name) => [
        name,
        Type.Optional(
          Type.Enum(
            ['trace', 'debug', 'info', 'warn', 'error'],
            live({ description: `Level of the subsystem ${name.toUpperCase()}, where it differs.` }),
          ),
        ),
      ]),
    ) as Record<(typeof SUBSYSTEMS)[number], ReturnType<typeof Type.Optional<typeof LogLevelSetting>>>),
  }),
});

export type GatewaySettings = Static<typeof SettingsSchema>;

/** One leaf of the schema under its dotted key, for example `gateway.port`. */
export interface SettingRow {
  readonly key: string;
  readonly schema: TSchema & Annotations;
  readonly env: string;
  readonly optional: boolean;
}

interface Annotations {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly 'x-restart'?: boolean;
  readonly 'x-secret'?: boolean;
  readonly 'x-later'?: boolean;
}

/** All settings in the order of the schema. */
export const settingRows: readonly SettingRow[] = flatten(SettingsSchema, '');

function flatten(schema: TSchema, prefix: string): SettingRow[] {
  const { properties } = schema as unknown as { properties: Record<string, TSchema> };
  return Object.entries(properties).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if ('properties' in child) return flatten(child, key);
    const row = child as TSchema & Annotations;
    return [
      {
        key,
        schema: row,
        env: `OPENCLAW_${key.replaceAll('.', '_').toUpperCase()}`,
        optional: row.default === undefined,
      },
    ];
  });
}

type Leaves<T, P extends string = ''> = {
  [K in keyof T & string]-?: K extends 'tokens' | 'channels' | 'modules' | 'providers' | 'servers'
    ? `${P}${K}`
    : NonNullable<T[K]> extends readonly unknown[]
      ? `${P}${K}`
      : NonNullable<T[K]> extends object
        ? Leaves<NonNullable<T[K]>, `${P}${K}.`>
        : `${P}${K}`;
}[keyof T & string];

/** The dotted key of a setting. */
export type SettingKey = Leaves<GatewaySettings>;

type At<T, K extends string> = K extends `${infer Head}.${infer Rest}`
  ? Head extends keyof T
    ? At<NonNullable<T[Head]>, Rest>
    : never
  : K extends keyof T
    ? T[K]
    : never;

/** The type of a setting's value. */
export type SettingValue<K extends SettingKey> = At<GatewaySettings, K>;
