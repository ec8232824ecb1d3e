import Type, { type Static } from 'typebox';
import { defineSettings, type SettingFault, type SettingsReader } from '../config/section.js';
import { TENANT_NAME_RULE, TenantName } from '../identity/tenant-name.js';
import { findDay } from './quota-day.js';

const MAX_COUNT = 10_000_000;
const MAX_TOKENS = 1_000_000_000_000;
const MAX_COST = 1_000_000_000;

const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }));
const price = () => Type.Number({ minimum: 0, maximum: 1_000_000 });

/** Limits of a tenant in place of those of `limits.*`. */
export const TenantLimits = Type.Object(
  {
    messages_per_minute: whole(1, MAX_COUNT),
    reactions_per_minute: whole(1, MAX_COUNT),
    media_bytes_per_day: whole(1, MAX_TOKENS),
  },
  { additionalProperties: false },
);

/** Quotas of a tenant. What is left out is not limited. */
export const TenantQuotas = Type.Object(
  {
    messages_per_day: whole(0, MAX_COUNT),
    queued: whole(1, MAX_COUNT),
    turns: whole(1, 100_000),
    tokens_per_day: whole(0, MAX_TOKENS),
    cost_per_day: Type.Optional(Type.Number({ minimum: 0, maximum: MAX_COST })),
  },
  { additionalProperties: false },
);

export const TenantSetting = Type.Object(
  { limits: Type.Optional(TenantLimits), quotas: Type.Optional(TenantQuotas) },
  { additionalProperties: false },
);

/** Prices for a million tokens. */
const ModelPrice = Type.Object(
  { input: price(), output: price(), cached_input: Type.Optional(price()) },
  { additionalProperties: false },
);
export type TenantSetting = Static<typeof TenantSetting>;
export type TenantQuotas = Static<typeof TenantQuotas>;
export type ModelPrice = Static<typeof ModelPrice>;

/** The quotas of tenants, and the prices of models. */
export const tenantSettings = defineSettings(
  {
    tenants: Type.Record(TenantName(), TenantSetting, {
      default: {},
      additionalProperties: false,
      'x-keys': `${TENANT_NAME_RULE}, for example acme`,
      'x-parts': true,
      description:
        'Limits and quotas by tenant: `{limits?: {messages_per_minute?, reactions_per_minute?, media_bytes_per_day?}, quotas?: {messages_per_day?, queued?, turns?, tokens_per_day?, cost_per_day?}}`. `limits` are in place of those of `limits.*`; what `quotas` leaves out is not limited.',
    }),
    'quotas.timezone': Type.String({
      default: 'UTC',
      minLength: 1,
      maxLength: 64,
      description: 'The time zone whose days quotas count by, for example `Europe/Oslo`.',
    }),
    prices: Type.Record(Type.String({ pattern: '^[^/\\s]{1,64}/.{1,448}$' }), ModelPrice, {
      default: {},
      additionalProperties: false,
      'x-keys': 'models as `PROVIDER/MODEL`, for example openai/gpt-4.1',
      description:
        'What models cost, for a million tokens: `{input, output, cached_input?}` by `PROVIDER/MODEL`, in any one currency. A model without a price costs nothing.',
    }),
  },
  { rules: [findTimezoneFaults] },
);

function findTimezoneFaults(get: SettingsReader): SettingFault[] {
  try {
    findDay(0, get('quotas.timezone'));
    return [];
  } catch {
    return [{ key: 'quotas.timezone', message: 'must be the name of a time zone, for example Europe/Oslo' }];
  }
}
