import type { EgressFetch } from '../../http/egress/egress-fetch.js';
import { findKnown } from '../pi/pi-models.js';
import type { Provider } from '../pi/providers.js';
import { asFields, asList } from '../pi/wire/fields.js';
import { getJson } from './get-json.js';

/** A model that a provider lists. */
export interface ListedModel {
  readonly id: string;
  /** In tokens; undefined if neither the provider nor pi's catalogue says. */
  readonly contextWindow: number | undefined;
}

const TIMEOUT_MS = 5_000;
const MAX_MODELS = 2_000;
const MODEL_ID = /^[^\s\p{Cc}]{1,400}$/u;
/** Fields in which servers write the window: OpenRouter, vLLM, LM Studio, Mistral. */
const WINDOW_FIELDS = ['context_length', 'max_model_len', 'max_context_length', 'context_window'] as const;
const ANTHROPIC_VERSION = '2023-06-01';

/**
 * Returns the models that a provider lists, sorted by name.
 * @throws Error with a short reason if it does not
 */
export async function listModels(name: string, provider: Provider, fetch?: EgressFetch): Promise<ListedModel[]> {
  return readModels(name, provider, await getJson(listUrl(provider), headersFor(provider), TIMEOUT_MS, fetch));
}

/** Returns the models of a list, sorted by name. @param list the body of the provider's response */
export async function readModels(name: string, provider: Provider, list: unknown): Promise<ListedModel[]> {
  const body = asFields(list);
  const entries = asList(body?.['data'] ?? body?.['models']).slice(0, MAX_MODELS);
  const models = await Promise.all(entries.map((entry) => readModel(name, provider, entry)));
  return models.flatMap((model) => model ?? []).toSorted((a, b) => a.id.localeCompare(b.id));
}

function listUrl({ api, base_url: base }: Provider): string {
  const root = base.replace(/\/+$/, '');
  return api === 'anthropic-messages' ? `${root}/v1/models?limit=1000` : `${root}/models`;
}

function headersFor({ api, api_key: key, headers = {} }: Provider): Record<string, string> {
  if (api === 'anthropic-messages')
    return { 'anthropic-version': ANTHROPIC_VERSION, ...(key === undefined ? {} : { 'x-api-key': key }), ...headers };
  return { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers };
}

async function readModel(name: string, provider: Provider, entry: unknown): Promise<ListedModel | undefined> {
  const fields = asFields(entry);
  const id = fields?.['id'] ?? fields?.['name'];
  if (!fields || typeof id !== 'string' || !MODEL_ID.test(id)) return undefined;
  const said = [...WINDOW_FIELDS.map((field) => fields[field]), asFields(fields['meta'])?.['n_ctx_train']];
  const listed = said.find((value) => typeof value === 'number' && Number.isInteger(value) && value > 0);
  const known = await findKnown(`${name}/${id}`);
  const contextWindow = provider.context_window ?? known?.contextWindow ?? (listed as number | undefined);
  return { id, contextWindow };
}
