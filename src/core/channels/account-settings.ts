import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';
import type { ConfigStoreService } from '../config/config-store.service.js';
import {
  defineSettings,
  type SettingFault,
  type SettingKey,
  type SettingsReader,
  type SettingsSection,
} from '../config/section.js';
import { address } from '../config/setting-kinds.js';
import { HOUR_MS } from '../time/clock.js';

/** The account whose settings stand directly below `channels.NAME`. */
export const DEFAULT_ACCOUNT = 'default';

const CHANNEL_NAME = /^[a-z0-9_-]{1,64}$/;
const MAX_LISTED = 10_000;

/** A longer number would be another one once it is read. */
const SafeInteger = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });

const Names = (description: string) =>
  Type.Array(Type.Union([Type.String({ minLength: 1, maxLength: 256 }), SafeInteger]), {
    maxItems: MAX_LISTED,
    default: [],
    'x-scope': 'config:dangerous',
    description,
  });

/** The settings of every account of every driver. */
const COMMON = {
  dm_policy: Type.Enum(['pairing', 'allowlist', 'open'], {
    default: 'pairing',
    'x-scope': 'config:dangerous',
    description: 'Who may write in direct chats: senders with an approved code, those in `allow_from`, or all.',
  }),
  allow_from: Names('Senders who may write in direct chats; `*` for all, which `open` requires.'),
  group_policy: Type.Enum(['allowlist', 'open', 'disabled'], {
    default: 'allowlist',
    'x-scope': 'config:dangerous',
    description: 'Which groups are served: those in `groups`, all, or none.',
  }),
  groups: Names('Groups that are served.'),
  require_mention: Type.Boolean({
    default: true,
    description: 'In groups, answer only what addresses the agent.',
  }),
  allow_bots: Type.Boolean({
    default: false,
    'x-scope': 'config:dangerous',
    description: 'Answer other bots when they address the agent, five times in ten minutes at most.',
  }),
  streaming: Type.Optional(
    Type.Enum(['edit', 'blocks', 'final'], {
      description:
        'Show a reply as it grows, block by block, or when it is complete. By default `edit` where it is cheap.',
    }),
  ),
  show_tools: Type.Boolean({ default: false, description: 'Show tool calls.' }),
  max_age_ms: Type.Integer({
    minimum: 1_000,
    maximum: 24 * HOUR_MS,
    default: HOUR_MS,
    description: 'Messages older than this are kept as context and not answered, in milliseconds.',
  }),
  delivery_max_age_ms: Type.Integer({
    minimum: 1_000,
    maximum: 24 * HOUR_MS,
    default: HOUR_MS,
    description: 'Replies older than this are not sent any more, in milliseconds.',
  }),
} as const satisfies TProperties;

/** The settings of an account that all channels have. */
export type CommonAccountSettings = Static<TObject<typeof COMMON>>;

/** All settings of one account. `own` are those of its driver. */
export interface AccountValues {
  readonly common: CommonAccountSettings;
  readonly own: Readonly<Record<string, unknown>>;
}

/** The settings of the accounts of one channel. `P`: those of its driver. */
export interface AccountSettings<P extends TProperties = TProperties> {
  readonly own: P;
  /** The names of those without which the channel does not run. */
  readonly required: readonly string[];
  /** Its keys are read by {@link read} only, so it adds no types to `Settings`. */
  readonly section: SettingsSection<Record<never, TSchema>>;
  /** Returns the accounts that are configured. */
  listAccounts(config: Pick<ConfigStoreService, 'get'>): readonly string[];
  /** Returns the current settings of an account. */
  read(config: Pick<ConfigStoreService, 'get'>, account: string): AccountValues;
  /** Returns whether the platform delivers to an account over HTTP, by the driver's settings of it. */
  isDeliveredTo(own: Readonly<Record<string, unknown>>): boolean;
}

/** The rules of a driver for its settings. */
export interface SettingRules<P extends TProperties> {
  /** Returns what is wrong with the settings of an account; each fault has the key of a setting. */
  readonly findFaults?: (values: Partial<Static<TObject<P>>>) => readonly SettingFault[];
  /** The setting by which the platform knows the account: no two accounts have the same. */
  readonly identity?: keyof P & string;
  /** Returns whether the platform delivers to an account over HTTP: such an account runs in the gateway only. */
  readonly isDeliveredTo?: (values: Partial<Static<TObject<P>>>) => boolean;
}

/** Declares the setting of a credential, which is write-only. */
export function credential(pattern: string, description: string) {
  return Type.String({ pattern, 'x-secret': true, 'x-scope': 'tokens:write', description });
}

/** Declares the setting of the server of a platform. @param url the platform's own */
export function apiRoot(url: string, description: string) {
  const pattern = '^https?://[^\\s/?#@]+(/[^\\s?#]*[^\\s?#/])?$';
  return address('https?', { pattern, default: url, 'x-scope': 'config:dangerous', description });
}

/**
 * Declares the settings of a channel: `channels.NAME.KEY` for the account `default`, and `channels.NAME.accounts` with the
 * same keys for others.
 * @throws Error when the name is not allowed, or a setting has the name of a common one
 */
export function defineAccountSettings<P extends TProperties>(
  name: string,
  own: P,
  rules: SettingRules<P> = {},
): AccountSettings<P> {
  checkNames(name, own);
  const all: TProperties = { ...COMMON, ...own };
  const required = Object.keys(own).filter((key) => !isOptional(own, key));
  const prefix = `channels.${name}.`;
  const valuesOf = (get: (key: string) => unknown, account: string): Record<string, unknown> => {
    const given = (get(`${prefix}accounts`) as Accounts | undefined)?.[account] ?? {};
    const read = (key: string) =>
      account === DEFAULT_ACCOUNT ? get(prefix + key) : (given[key] ?? (all[key] as { default?: unknown }).default);
    return Object.fromEntries(Object.keys(all).map((key) => [key, read(key)]));
  };
  const accountsOf = (get: (key: string) => unknown): string[] => {
    const others = Object.keys((get(`${prefix}accounts`) as Accounts | undefined) ?? {});
    const values = valuesOf(get, DEFAULT_ACCOUNT);
    const isSet = required.length === 0 ? others.length === 0 : required.some((key) => values[key] !== undefined);
    return isSet ? [DEFAULT_ACCOUNT, ...others] : others;
  };
  const findFaults = (reader: SettingsReader): SettingFault[] => {
    const read = (key: string): unknown => reader(key as SettingKey);
    const owners = new Map<unknown, string>();
    return accountsOf(read).flatMap((account) => {
      const path = account === DEFAULT_ACCOUNT ? prefix : `${prefix}accounts.${account}.`;
      const values = valuesOf(read, account);
      return [
        ...findAccountFaults(path, values, required),
        ...(rules.findFaults?.(values as Partial<Static<TObject<P>>>) ?? []).map((one) => ({
          ...one,
          key: path + one.key,
        })),
        ...findTwin(rules.identity, { path, values, owners }),
      ];
    });
  };

  return {
    own,
    required,
    section: defineSettings(declare(prefix, all, required), { rules: [findFaults] }),
    listAccounts: (config) => accountsOf((key) => config.get(key as SettingKey)),
    isDeliveredTo: (values) => rules.isDeliveredTo?.(values as Partial<Static<TObject<P>>>) ?? false,
    read(config, account) {
      const values = valuesOf((key) => config.get(key as SettingKey), account);
      return { common: pick(COMMON, values) as CommonAccountSettings, own: pick(own, values) };
    },
  };
}

/** Declares the settings of the account `default`, and those of the others as one. */
function declare(prefix: string, all: TProperties, required: readonly string[]): TProperties {
  const own = Object.entries(all).map(([key, schema]) => [
    prefix + key,
    required.includes(key) ? Type.Optional(schema) : schema,
  ]);
  const accounts = Type.Record(OtherName, Type.Partial(Type.Object(all), STRICT), OTHER_ACCOUNTS);
  return { ...(Object.fromEntries(own) as TProperties), [`${prefix}accounts`]: accounts };
}

function pick(of: TProperties, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(of).map((key) => [key, values[key]]));
}

function checkNames(name: string, own: TProperties): void {
  if (!CHANNEL_NAME.test(name)) throw new Error(`"${name}" is not the name of a channel: use a-z, 0-9, _ and -`);
  const clash = Object.keys(own).find((key) => key in COMMON || key === 'accounts');
  if (clash !== undefined) throw new Error(`the channel "${name}" declares the setting "${clash}", which all have`);
}

/** Two runs of one account would divide what people write among them. */
function findTwin(
  key: string | undefined,
  {
    path,
    values,
    owners,
  }: {
    readonly path: string;
    readonly values: Readonly<Record<string, unknown>>;
    readonly owners: Map<unknown, string>;
  },
): SettingFault[] {
  const identity = key === undefined ? undefined : values[key];
  if (key === undefined || identity === undefined) return [];
  const owner = owners.get(identity);
  owners.set(identity, owner ?? path + key);
  return owner === undefined ? [] : [{ key: path + key, message: `is the same as ${owner}: one account is enough` }];
}

const STRICT = { additionalProperties: false };
const OtherName = Type.String({ pattern: '^(?!default$)[A-Za-z0-9_-]{1,64}$' });
const OTHER_ACCOUNTS = {
  default: {},
  'x-scope': 'config:dangerous',
  description: 'Further accounts, each with the settings of the channel.',
};

type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Returns whether a setting may be missing. */
function isOptional(properties: TProperties, key: string): boolean {
  const { required = [] } = Type.Object(properties) as { readonly required?: readonly string[] };
  return !required.includes(key) || (properties[key] as { default?: unknown }).default !== undefined;
}

function findAccountFaults(
  path: string,
  values: Readonly<Record<string, unknown>>,
  required: readonly string[],
): SettingFault[] {
  const faults = required
    .filter((key) => values[key] === undefined)
    .map((key) => ({ key: path + key, message: 'is missing: the channel needs it' }));
  const isOpen = values['dm_policy'] === 'open' && !(values['allow_from'] as readonly unknown[]).includes('*');
  const message = 'is `open`, which admits every sender; confirm it with `allow_from: ["*"]`';
  return isOpen ? [...faults, { key: `${path}dm_policy`, message }] : faults;
}
