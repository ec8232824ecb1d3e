import Type from 'typebox';
import { MAX_FALLBACKS, ModelName, RuntimeName, Thinking } from '../core/agents/agent-setting.js';
import { defineSettings } from '../core/config/section.js';
import { addUsualKeys, findModelFaults, ProviderSetting } from './pi/providers.js';

const SYSTEM_PROMPT =
  'You are a helpful assistant that people talk to through messaging apps. Answer in the language of the message, ' +
  'briefly unless more is asked for.';

/** The runtime and its models. */
export const agentSettings = defineSettings(
  {
    'agent.runtime': Type.Enum(RuntimeName.enum, {
      default: 'auto',
      description: 'The agent runtime; `auto` is `pi` if a model is configured, else the built-in agent.',
    }),
    'agent.model': Type.Optional(
      Type.String({ ...ModelName, description: 'The model that answers, `provider/model`.' }),
    ),
    'agent.fallbacks': Type.Array(Type.String(ModelName), {
      default: [],
      maxItems: MAX_FALLBACKS,
      description: 'The models that answer when the provider of `agent.model` cannot, in order.',
    }),
    'agent.allowed_models': Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        maxItems: 256,
        description:
          'The models that `/model` may choose, patterns with `*`: `openai/*`. By default those that agents name.',
      }),
    ),
    'agent.thinking': Type.Optional(
      Type.Enum(Thinking.enum, {
        description: 'How much a model may think before it answers; by default as its provider says.',
      }),
    ),
    'agent.max_output_tokens': Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000,
        description: 'Maximum length of an answer, in tokens; by default as the provider says.',
      }),
    ),
    'agent.system_prompt': Type.String({
      default: SYSTEM_PROMPT,
      maxLength: 65_536,
      description: 'System prompt of the model.',
    }),
    providers: Type.Record(Type.String({ pattern: '^[^/\\s]{1,64}$' }), ProviderSetting, {
      default: {},
      additionalProperties: false,
      'x-keys': 'names of 1 to 64 characters without / and blanks, for example groq',
      'x-scope': 'config:dangerous',
      'x-parts': true,
      description:
        'Model providers by name: `{api, base_url, api_key?, headers?, context_window?, max_output_tokens?, images?, thinking?, max_retries?, idle_timeout_ms?, first_byte_timeout_ms?, max_tokens_field?, system_role?, sends_store?, tenant?}`; with `tenant`, only agents of that tenant may name it.',
    }),
  },
  { rules: [findModelFaults], completions: { providers: addUsualKeys } },
);
