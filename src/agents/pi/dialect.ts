import type { Model } from '@earendil-works/pi-ai';
import type { Provider } from './providers.js';

/** Hosts that know the newer fields of OpenAI's wires. Others refuse a question for a field that they do not know. */
const NEWER_FIELDS = /(^|\.)(openai\.com|openai\.azure\.com)$/;
/** Hosts that know `max_completion_tokens` besides those. */
const NEWER_LIMIT = /(^|\.)(cerebras\.ai|x\.ai)$/;

const ANTHROPIC = /(^|\.)anthropic\.com$/;

/** The optional fields of OpenAI's wires that a provider gets. */
export type Dialect = Required<Pick<Provider, 'max_tokens_field' | 'system_role' | 'sends_store'>>;

/** Returns the fields that a provider gets: those of its settings, else those that its host is known for. */
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

/** Returns the dialect in the words of pi, and what its catalogue says of the model. */
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

/** Takes out of a request what pi always sends and not every server knows. */
export function trim(body: unknown, { sends_store }: Dialect): unknown {
  if (sends_store || typeof body !== 'object' || body === null || !('store' in body)) return undefined;
  const { store: _, ...others } = body;
  return others;
}
