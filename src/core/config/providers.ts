import Type, { type Static } from 'typebox';

/** Never what an operator means: it is how a secret reads back. */
const Secret = Type.String({ minLength: 1, maxLength: 16_384, pattern: '^(?!\\*\\*\\*$)', 'x-secret': true });

/** One provider of models: where it is, what it speaks, and what its model can take where that is not known anyhow. */
export const ProviderSetting = Type.Object(
  {
    api: Type.Optional(Type.Enum(['openai-completions', 'openai-responses', 'anthropic-messages'])),
    base_url: Type.Optional(Type.String({ pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$' })),
    api_key: Type.Optional(Secret),
    headers: Type.Optional(Type.Record(Type.String(), Secret)),
    /** In tokens. */
    context_window: Type.Optional(Type.Integer({ minimum: 1_024, maximum: 100_000_000 })),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    /** Whether its model takes images. */
    images: Type.Optional(Type.Boolean()),
    /** How much its model may think before it answers, where it can. */
    thinking: Type.Optional(Type.Enum(['low', 'medium', 'high'])),
    /** How often a question is asked again that failed for the moment. */
    max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
    /** A provider that says nothing for so long has broken the connection; in milliseconds. */
    idle_timeout_ms: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type ProviderSetting = Static<typeof ProviderSetting>;
export type ProviderSettings = Readonly<Record<string, ProviderSetting>>;

/** A provider as it is used: what the setting leaves out is filled in. */
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

/** The provider of this name; undefined when it is not configured, or not completely. */
export function findProvider(providers: ProviderSettings, name: string): Provider | undefined {
  const setting = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (!setting) return undefined;
  const { api, base_url, ...rest } = { ...KNOWN[name]?.setting, ...setting };
  return api && base_url ? { api, base_url, ...rest } : undefined;
}

/** Adds what the usual variables (`ANTHROPIC_API_KEY`, `OPENAI_API_KEY`) say; a key that is set as a setting goes before. */
export function addUsualKeys(
  providers: ProviderSettings,
  environment: Readonly<Record<string, string | undefined>>,
): ProviderSettings {
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

/** What the settings of the agent and of the providers get wrong together. */
export function findModelFaults(settings: {
  readonly runtime: string;
  readonly model: string | undefined;
  readonly providers: ProviderSettings;
}): { readonly key: string; readonly message: string }[] {
  const { runtime, model, providers } = settings;
  const faults = Object.keys(providers)
    .filter((name) => !findProvider(providers, name))
    .map((name) => ({ key: `providers.${name}`, message: 'must have api and base_url' }));
  if (model === undefined) {
    return runtime === 'pi'
      ? [...faults, { key: 'agent.model', message: 'is needed by agent.runtime: pi; allowed: provider/model' }]
      : faults;
  }
  const { provider } = splitModel(model);
  if (Object.hasOwn(providers, provider)) return faults;
  const variable = KNOWN[provider]?.keyVariable;
  const advice = `${variable ? `${variable} or ` : ''}providers.${provider}`;
  return [...faults, { key: 'agent.model', message: `the provider "${provider}" is not configured; set ${advice}` }];
}
