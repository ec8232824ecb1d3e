import { readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { defineAgent, INHERITED, listAgentIds } from '../../core/agents/agent-definition.js';
import { address, headers, headerValue } from '../../core/config/setting-kinds.js';
import { TenantName } from '../../core/identity/tenant-name.js';
import { isInScope } from '../../core/store/index.js';
import { BASE_URL } from '../../protocol/providers.js';
import {
  SettingsError,
  type Environment,
  type SecretFileReader,
  type SettingFault,
  type SettingsReader,
} from '../../core/config/section.js';

/** One provider of models: its address, its protocol, and its model's limits where the catalogue does not know them. */
export const ProviderSetting = Type.Object(
  {
    api: Type.Optional(Type.Enum(['openai-completions', 'openai-responses', 'anthropic-messages'])),
    base_url: Type.Optional(address('https?', { pattern: BASE_URL.source })),
    api_key: Type.Optional(headerValue()),
    headers: Type.Optional(headers()),
    /** In tokens. */
    context_window: Type.Optional(Type.Integer({ minimum: 1_024, maximum: 100_000_000 })),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    /** True if its model takes images. */
    images: Type.Optional(Type.Boolean()),
    /** The effort of its model in thinking before an answer, if it can think. */
    thinking: Type.Optional(Type.Enum(['low', 'medium', 'high'])),
    /** Maximum number of repetitions of a request that failed temporarily. */
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
    /** Only agents of this tenant may name it. */
    tenant: Type.Optional(TenantName()),
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

/** Names of providers that need nothing but a key. */
export const KNOWN_PROVIDERS: readonly string[] = Object.keys(KNOWN);

/** Returns the provider of this name, or undefined when it is not configured, or not completely. */
export function findProvider(providers: ProviderSettings, name: string): Provider | undefined {
  const setting = Object.hasOwn(providers, name) ? providers[name] : undefined;
  return setting && completeProvider(name, setting);
}

/** Returns whether agents of `tenant`, or of some tenant for `ALL_TENANTS`, may name a provider. */
export function isForTenant({ tenant: owner }: ProviderSetting, tenant: string): boolean {
  return owner === undefined || isInScope(tenant, owner);
}

/** Returns a provider with what is known of its name; undefined if something is still missing. */
export function completeProvider(name: string, setting: ProviderSetting): Provider | undefined {
  const { api, base_url, ...rest } = { ...(Object.hasOwn(KNOWN, name) ? KNOWN[name]?.setting : {}), ...setting };
  return api && base_url ? { api, base_url, ...rest } : undefined;
}

/** Returns the usual variable for the key of a provider: `GROQ_API_KEY` for `groq`. */
export function keyVariableOf(name: string): string {
  const usual = Object.hasOwn(KNOWN, name) ? KNOWN[name]?.keyVariable : undefined;
  return usual ?? `${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_API_KEY`;
}

/**
 * Adds the keys of the usual variables (`ANTHROPIC_API_KEY`, `GROQ_API_KEY`), or of the files that `..._API_KEY_FILE` names,
 * to the configured providers and to those that need only a key. A key of the setting takes precedence.
 * @throws SettingsError with every variable whose key, or whose file, cannot be used
 */
export function addUsualKeys(
  providers: Record<string, ProviderSetting>,
  environment: Environment,
  readFile: SecretFileReader = (path) => readFileSync(path, 'utf8'),
): Record<string, ProviderSetting> {
  const names = new Set([...Object.keys(KNOWN), ...Object.keys(providers)]);
  const faults: SettingFault[] = [];
  const found = [...names].flatMap((name) => {
    const source = findKeySource(keyVariableOf(name), environment);
    if (!source) return [];
    try {
      return [[name, { api_key: readKey(source, readFile), ...providers[name] }] as const];
    } catch (error) {
      faults.push({ key: source.variable, message: (error as Error).message });
      return [];
    }
  });
  if (faults.length > 0) throw new SettingsError(faults);
  return found.length === 0 ? providers : { ...providers, ...Object.fromEntries(found) };
}

/** Where the key of a provider comes from: `value` is the key, or the path of its file. */
interface KeySource {
  readonly variable: string;
  readonly value: string;
  readonly isFile: boolean;
}

function findKeySource(name: string, environment: Environment): KeySource | undefined {
  const candidates = [
    { variable: name, isFile: false },
    { variable: `${name}_FILE`, isFile: true },
  ];
  return candidates
    .map((candidate) => ({ ...candidate, value: environment[candidate.variable] ?? '' }))
    .find(({ value }) => value !== '');
}

/** Key as HTTP can send it; an editor ends a file with a line break. */
const UsualKey = headerValue();

/** @throws Error if the file cannot be read, or its key cannot be used */
function readKey({ value, isFile }: KeySource, readFile: SecretFileReader): string {
  const key = (isFile ? readFile(value) : value).trim();
  if (key === '') throw new Error(isFile ? 'names a file that is empty' : 'is blank');
  if (Value.Check(UsualKey, key)) return key;
  const fault = 'cannot be a key: allowed is one line of at most 16,384 characters that an HTTP header can have';
  throw new Error(isFile ? `names a file whose text ${fault}` : fault);
}

/** `provider/model` as its two parts; the model's own name may have slashes. */
export function splitModel(model: string): { readonly provider: string; readonly model: string } {
  const at = model.indexOf('/');
  return { provider: model.slice(0, at), model: model.slice(at + 1) };
}

/** Every provider is complete, and those that agents name are configured and for their tenant. */
export function findModelFaults(get: SettingsReader): SettingFault[] {
  const providers = get('providers');
  const faults = Object.keys(providers)
    .filter((name) => !findProvider(providers, name))
    .map((name) => ({ key: `providers.${name}`, message: 'must have api and base_url' }));
  const ids = listAgentIds(get);
  const agents = ids.flatMap((id) => findAgentFaults(providers, get, id));
  if (
    agents.length === 0 &&
    get('agent.fallbacks').length > 0 &&
    ids.every((id) => defineAgent(get, id).model === undefined)
  )
    faults.push({ key: 'agent.fallbacks', message: 'stand in for a model; set agent.model' });
  // A fault of `agent.*` is that of every agent that inherits it.
  const byKey = new Map(agents.map((fault) => [JSON.stringify(fault), fault]));
  return [...faults, ...byKey.values()];
}

function findAgentFaults(providers: ProviderSettings, get: SettingsReader, id: string): SettingFault[] {
  const own = get('agents')[id];
  const { runtime, model, fallbacks, tenant } = defineAgent(get, id);
  const keyOf = (field: 'model' | 'fallbacks' | 'runtime') =>
    own?.[field] === undefined ? INHERITED[field] : `agents.${id}.${field}`;
  const named = [
    ...(model === undefined ? [] : [{ key: keyOf('model'), name: model }]),
    ...fallbacks.map((name) => ({ key: keyOf('fallbacks'), name })),
  ];
  const faults = named.flatMap(({ key, name }) => {
    const message = findNameFault(providers, splitModel(name).provider, tenant);
    return message === undefined ? [] : [{ key, message }];
  });
  if (faults.length === 0 && model === undefined && own?.fallbacks !== undefined && fallbacks.length > 0)
    faults.push({ key: keyOf('fallbacks'), message: `stand in for a model; set agents.${id}.model or agent.model` });
  if (model !== undefined || runtime !== 'pi') return faults;
  const key = own?.runtime === undefined ? 'agent.model' : `agents.${id}.model`;
  return [...faults, { key, message: `is needed by ${keyOf('runtime')}: pi; allowed: provider/model` }];
}

function findNameFault(providers: ProviderSettings, provider: string, tenant: string): string | undefined {
  const setting = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  if (!setting) {
    const variable = Object.hasOwn(KNOWN, provider) ? `${keyVariableOf(provider)} or ` : '';
    return `the provider "${provider}" is not configured; set ${variable}providers.${provider}`;
  }
  return isForTenant(setting, tenant) ? undefined : `the provider "${provider}" is for agents of another tenant`;
}
