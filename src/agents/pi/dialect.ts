import type { Model } from '@earendil-works/pi-ai';
import type { Provider } from './providers.js';

/** Hosts that support the newer fields of OpenAI's APIs. Others may refuse a request with an unknown field. */
const NEWER_FIELDS = /(^|\.)(openai\.com|openai\.azure\.com)$/;
/** Further hosts that support `max_completion_tokens`. */
const NEWER_LIMIT = /(^|\.)(cerebras\.ai|x\.ai)$/;

const ANTHROPIC = /(^|\.)anthropic\.com$/;

/** Deviations of a provider from OpenAI's APIs. */
export type Dialect = Required<Pick<Provider, 'max_tokens_field' | 'system_role' | 'sends_store'>>;

/** Returns the dialect of a provider: its settings take precedence over the defaults of its host. */
export function findDialect({ base_url, max_tokens_field, system_role, sends_store }: Provider): Dialect {
  const { hostname } = new URL(base_url);
  const isNewer = NEWER_FIELDS.test(hostname);
  const hasNewerLimit = isNewer || NEWER_LIMIT.test(hostname);
  return {
    max_tokens_field: max_tokens_field ?? (hasNewerLimit ? 'max_completion_tokens' : 'max_tokens'),
    system_role: system_role ?? (isNewer ? 'developer' : 'system'),
    sends_store: sends_store ?? isNewer,
  };
}

/** Returns the dialect as pi's `compat`, added to the catalogue's entry of the model. */
export function compatOf(
  provider: Provider,
  known: Model<Provider['api']> | undefined,
): Pick<Model<Provider['api']>, 'compat'> {
  const compat = known?.api === provider.api ? known.compat : undefined;
  const dialect = findDialect(provider);
  const supportsDeveloperRole = dialect.system_role === 'developer';
  switch (provider.api) {
    case 'openai-completions':
      return {
        compat: {
          ...compat,
          supportsDeveloperRole,
          supportsStore: dialect.sends_store,
          maxTokensField: dialect.max_tokens_field,
        },
      };
    case 'openai-responses':
      return { compat: { ...compat, supportsDeveloperRole } };
    case 'anthropic-messages':
      if (ANTHROPIC.test(new URL(provider.base_url).hostname)) return compat ? { compat } : {};
      return { compat: { ...compat, supportsEagerToolInputStreaming: false } };
  }
}

/** Removes the field `store`, which pi always sends over the responses API, where the server does not support it. */
export function trim(body: unknown, { sends_store }: Dialect): unknown {
  if (sends_store || typeof body !== 'object' || body === null || !('store' in body)) return undefined;
  const { store: _, ...others } = body;
  return others;
}
