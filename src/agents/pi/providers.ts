import Type, { type Static } from 'typebox';
import { secret } from '../../core/config/setting-kinds.js';
import type { Environment, SettingFault, SettingsReader } from '../../core/config/section.js';

/** One provider of models: its address, its protocol, and its model's limits where the catalogue does not know them. */
export const ProviderSetting = Type.Object(
  {
    api: Type.Optional(Type.Enum(['openai-completions', 'openai-responses', 'anthropic-messages'])),
    base_url: Type.Optional(Type.String({ pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$' })),
    api_key: Type.Optional(secret({ minLength: 1 })),
    headers: Type.Optional(Type.Record(Type.String(), secret({ minLength: 1 }))),
    /** In tokens. */
    context_window: Type.Optional(Type.Integer({ minimum: 1_024, maximum: 100_000_000 })),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    /** True if its model takes images. */
    images: Type.Optional(Type.Boolean()),
    /** How much its model may think before it answers, if it can. */
    thinking: Type.Optional(Type.Enum(['low', 'medium', 'high'])),
    /** How often a request that failed temporarily is repeated. */
    max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
    /** Silence after which the connection counts as broken, in milliseconds. */
    idle_timeout_ms: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
    /** Time without a byte after which another model is asked, if there is one, in milliseconds. */
    first_byte_timeout_ms: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
    /** The field of a request that limits the length of the answer; chat completions only. */
    max_tokens_field: Type.Optional(Type.Enum(['max_tokens', 'max_completion_tokens'])),
    /** The role of the system prompt for models that think; the wires of OpenAI only. */
    system_role: Type.Optional(Type.Enum(['system', 'developer'])),
    /** True if requests say `store: false`; the wires of OpenAI only. */
    sends_store: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type ProviderSetting = Static<typeof ProviderSetting>;
export type ProviderSettings = Readonly<Record<string, ProviderSetting>>;

/** A provider with everything filled in that the setting may leave out. */
export type Provider = ProviderSetting & Required<Pick<ProviderSetting, 'api' | 'base_url'>>;

/** Providers that are known by name, each with the environment variable of its key. */
const KNOWN: Readonly<Record<string, { readonly keyVariable: string; readonly setting: ProviderSetting }>> = {
  anthropic: {
    keyVariable: 'ANTHROPIC_API_KEY',
    setting: { api: 'anthropic-messages', base_url: 'https://api.anthropic.com' },
  },
  openai: {
    keyVariable: 'OPENAI_API_KEY',
    setting: { api: 'openai-responses', base_url: 'https://api.openai.com/v1' },
  },
};

/** Returns the provider of this name, or undefined when it is not configured, or not completely. */
export function findProvider(providers: ProviderSettings, name: string): Provider | undefined {
  const setting = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (!setting) return undefined;
  const { api, base_url, ...rest } = { ...KNOWN[name]?.setting, ...setting };
  return api && base_url ? { api, base_url, ...rest } : undefined;
}

/** Adds the keys of the usual variables (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`); a key of the setting takes precedence. */
export function addUsualKeys(
  providers: Record<string, ProviderSetting>,
  environment: Environment,
): Record<string, ProviderSetting> {
  const found = Object.entries(KNOWN).flatMap(([name, { keyVariable }]) => {
    const key = environment[keyVariable];
    return key ? [[name, { api_key: key, ...providers[name] }] as const] : [];
  });
  return found.length === 0 ? providers : { ...providers, ...Object.fromEntries(found) };
}

/** `provider/model` as its two parts; the model's own name may have slashes. */
export function splitModel(model: string): { readonly provider: string; readonly model: string } {
  const at = model.indexOf('/');
  return { provider: model.slice(0, at), model: model.slice(at + 1) };
}

/** Every provider is complete, and those of `agent.model` and `agent.fallbacks` are configured. */
export function findModelFaults(get: SettingsReader): SettingFault[] {
  const model = get('agent.model');
  const providers = get('providers');
  const incomplete = Object.keys(providers)
    .filter((name) => !findProvider(providers, name))
    .map((name) => ({ key: `providers.${name}`, message: 'must have api and base_url' }));
  const missing =
    model === undefined && get('agent.runtime') === 'pi'
      ? [{ key: 'agent.model', message: 'is needed by agent.runtime: pi; allowed: provider/model' }]
      : [];
  const named = [
    ...(model === undefined ? [] : [{ key: 'agent.model', model }]),
    ...get('agent.fallbacks').map((fallback) => ({ key: 'agent.fallbacks', model: fallback })),
  ];
  return [...incomplete, ...missing, ...named.flatMap((one) => findUnconfigured(one, providers))];
}

function findUnconfigured(
  { key, model }: { readonly key: string; readonly model: string },
  providers: ProviderSettings,
): SettingFault[] {
  const { provider } = splitModel(model);
  if (Object.hasOwn(providers, provider)) return [];
  const variable = KNOWN[provider]?.keyVariable;
  const advice = `${variable ? `${variable} or ` : ''}providers.${provider}`;
  return [{ key, message: `the provider "${provider}" is not configured; set ${advice}` }];
}
