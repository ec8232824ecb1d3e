import type {
  AssistantMessageEventStream,
  Context,
  Model,
  ProviderStreams,
  SimpleStreamOptions,
} from '@earendil-works/pi-ai';
import { splitModel, type Provider } from './providers.js';
import { compatOf, findDialect, trim } from './dialect.js';
import { sayAs } from './replies.js';
import { ChatCorrector } from './wire/chat-corrector.js';
import { MessagesCorrector } from './wire/messages-corrector.js';
import { ResponsesCorrector } from './wire/responses-corrector.js';
import type { EventCorrector } from './wire/sse.js';

export type PiApi = Provider['api'];

/** Error texts of servers that pi does not know: z.ai, exllama, TGI, Groq, llama.cpp. */
const MORE_OVERFLOWS =
  /tokens in request more than max|max_seq_len|must have less than \d+ tokens|`inputs` tokens \+ `max_new_tokens`|request too large for model|context size has been exceeded/i;

/** Properties of a model that neither pi's catalogue nor a setting describes. */
const UNKNOWN: Pick<Model<PiApi>, 'input' | 'contextWindow' | 'maxTokens' | 'reasoning'> = {
  input: ['text'],
  contextWindow: 32_768,
  maxTokens: 8_192,
  reasoning: false,
};

/** A model that is ready for requests. */
export interface AskableModel {
  readonly model: Model<PiApi>;
  readonly provider: Provider;
  stream(context: Context, options: SimpleStreamOptions): AssistantMessageEventStream;
  /** Returns a corrector for the events of one response. */
  createCorrector(): EventCorrector;
  /** Returns whether an error text says that the prompt exceeds the model's window. */
  isOverflow(errorMessage: string): boolean;
}

const correctors: Readonly<Record<PiApi, new () => EventCorrector>> = {
  'openai-completions': ChatCorrector,
  'openai-responses': ResponsesCorrector,
  'anthropic-messages': MessagesCorrector,
};

/** pi's modules, each loaded with the first request that needs it: a gateway without a model loads none. */
const wires: Readonly<Record<PiApi, () => Promise<ProviderStreams>>> = {
  'openai-completions': () =>
    import('@earendil-works/pi-ai/api/openai-completions') as Promise<unknown> as Promise<ProviderStreams>,
  'openai-responses': () =>
    import('@earendil-works/pi-ai/api/openai-responses') as Promise<unknown> as Promise<ProviderStreams>,
  'anthropic-messages': () =>
    import('@earendil-works/pi-ai/api/anthropic-messages') as Promise<unknown> as Promise<ProviderStreams>,
};

/** Settings of an agent for its models; undefined for that of the provider. */
export interface AgentWishes {
  readonly thinking?: Provider['thinking'] | undefined;
  readonly maxOutputTokens?: number | undefined;
}

/** Loads the model `name` (`provider/model`). */
export async function loadModel(name: string, configured: Provider, wishes: AgentWishes = {}): Promise<AskableModel> {
  const [wire, { normalizeContext }, { isContextOverflow }, known] = await Promise.all([
    wires[configured.api](),
    import('@earendil-works/pi-ai/utils/transcript'),
    import('@earendil-works/pi-ai/utils/overflow'),
    findKnown(name),
  ]);
  const provider = follow(wishes, configured, known);
  const model = buildModel(name, provider, known);
  const dialect = findDialect(provider);
  return {
    model,
    provider,
    stream: (context, options) =>
      wire.streamSimple(model, normalizeContext(context), { ...options, onPayload: (body) => trim(body, dialect) }),
    createCorrector: () => new correctors[provider.api](),
    isOverflow: (errorMessage) =>
      MORE_OVERFLOWS.test(errorMessage) ||
      isContextOverflow({ ...sayAs(model, []), stopReason: 'error', errorMessage }),
  };
}

/** Returns the provider with the wishes of an agent. A model that is known not to think is not asked to. */
function follow(
  { thinking, maxOutputTokens }: AgentWishes,
  provider: Provider,
  known: Model<PiApi> | undefined,
): Provider {
  return {
    ...provider,
    ...(thinking !== undefined && known?.reasoning !== false && { thinking }),
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
  };
}

/** Returns the entry of pi's catalogue for a model of Anthropic or OpenAI. */
export async function findKnown(name: string): Promise<Model<PiApi> | undefined> {
  const { provider, model } = splitModel(name);
  const catalogue = await loadCatalogue(provider);
  return Object.hasOwn(catalogue, model) ? (catalogue[model] as Model<PiApi>) : undefined;
}

/** Returns the models of Anthropic or OpenAI in pi's catalogue; none for another provider. */
export async function listKnown(provider: string): Promise<readonly Model<PiApi>[]> {
  return Object.values(await loadCatalogue(provider)) as readonly Model<PiApi>[];
}

async function loadCatalogue(provider: string): Promise<Readonly<Record<string, unknown>>> {
  if (provider === 'anthropic')
    return (await import('@earendil-works/pi-ai/providers/anthropic.models')).ANTHROPIC_MODELS;
  if (provider === 'openai') return (await import('@earendil-works/pi-ai/providers/openai.models')).OPENAI_MODELS;
  return {};
}

function buildModel(name: string, provider: Provider, known: Model<PiApi> | undefined): Model<PiApi> {
  const { provider: providerName, model } = splitModel(name);
  const { input, contextWindow: window, maxTokens, reasoning } = known ?? UNKNOWN;
  const contextWindow = provider.context_window ?? window;
  return {
    // The catalogue's other properties are valid for its own API only.
    ...(known?.api === provider.api ? known : {}),
    id: model,
    name: model,
    api: provider.api,
    provider: providerName,
    baseUrl: provider.base_url,
    reasoning: provider.thinking !== undefined || reasoning,
    input: (provider.images ?? input.includes('image')) ? ['text', 'image'] : ['text'],
    ...compatOf(provider, known),
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow,
    maxTokens: Math.min(provider.max_output_tokens ?? maxTokens, Math.ceil(contextWindow / 2)),
  };
}
