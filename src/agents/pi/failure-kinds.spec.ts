import { describe, expect, it } from 'vitest';
import { classify, readError, type FailureKind } from './failure-kinds.js';

/** Errors as providers send them: who, status, body, kind. */
const REAL: readonly (readonly [string, number | undefined, unknown, FailureKind])[] = [
  [
    'Anthropic, empty account',
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      },
    },
    'no credit',
  ],
  [
    'Anthropic, spend limit',
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      },
    },
    'no credit',
  ],
  ['Anthropic, billing', 403, { type: 'error', error: { type: 'billing_error', message: 'No.' } }, 'no credit'],
  [
    'OpenAI, no quota',
    429,
    {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
    'no credit',
  ],
  [
    'OpenAI, inactive account',
    429,
    {
      error: {
        message: 'Your account is not active, please check your billing details on our website.',
        type: 'billing_not_active',
        code: 'billing_not_active',
      },
    },
    'no credit',
  ],
  [
    'OpenAI, rate limit that advertises',
    429,
    {
      error: {
        message:
          'Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 10000. You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing.',
        type: 'tokens',
        code: 'rate_limit_exceeded',
      },
    },
    'overloaded',
  ],
  [
    'Gemini, rate limit that speaks of billing',
    429,
    [
      {
        error: {
          code: 429,
          message:
            'You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: generate_content_free_tier_requests, limit: 10 Please retry in 31.2s.',
          status: 'RESOURCE_EXHAUSTED',
        },
      },
    ],
    'overloaded',
  ],
  ['OpenRouter', 402, { error: { code: 402, message: 'Insufficient credits. Add more using the site.' } }, 'no credit'],
  ['DeepSeek', 402, { error: { message: 'Insufficient Balance', type: 'unknown_error' } }, 'no credit'],
  [
    'xAI, no credits',
    403,
    { code: 'permission-denied', error: "Your newly created team doesn't have any credits yet." },
    'no credit',
  ],
  [
    'LiteLLM, budget',
    400,
    { error: { message: 'Budget has been exceeded! Current cost: 10, Max budget: 10', type: 'budget_exceeded' } },
    'no credit',
  ],
  ['Moonshot', 429, { error: { message: 'suspended', type: 'exceeded_current_quota_error' } }, 'no credit'],
  ['Zhipu', 429, { error: { code: '1113', message: '余额不足或无可用资源包,请充值。' } }, 'no credit'],
  ['Qwen', 400, { code: 'Arrearage', message: 'Access denied.' }, 'no credit'],
  [
    'Anthropic, a request with a budget of thinking',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: '`max_tokens` must be greater than `thinking.budget_tokens`.' },
    },
    'bad request',
  ],
  ['Anthropic, key', 401, { error: { type: 'authentication_error', message: 'invalid x-api-key' } }, 'key refused'],
  [
    'OpenAI, key',
    401,
    { error: { message: 'Incorrect API key provided: sk-x.', type: 'invalid_request_error', code: 'invalid_api_key' } },
    'key refused',
  ],
  [
    'Gemini, key',
    400,
    [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' } }],
    'key refused',
  ],
  ['a proxy', 403, '<html><title>403 Forbidden</title></html>', 'key refused'],
  ['Anthropic, model', 404, { error: { type: 'not_found_error', message: 'model: claude-x' } }, 'model not known'],
  [
    'OpenAI, model without access',
    403,
    { error: { message: 'Project `p` does not have access to model `gpt-9`', code: 'model_not_found' } },
    'model not known',
  ],
  ['OpenRouter, model', 400, { error: { message: 'a/b is not a valid model ID', code: 400 } }, 'model not known'],
  ['DeepSeek, model', 400, { error: { message: 'Model Not Exist', type: 'invalid_request_error' } }, 'model not known'],
  ['Mistral, model', 400, { message: 'Invalid model: mistral-x', type: 'invalid_model' }, 'model not known'],
  ['Ollama, model', 404, { error: "model 'x' not found" }, 'model not known'],
  [
    'vLLM, model',
    404,
    { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 },
    'model not known',
  ],
  ['Ollama, tools', 400, { error: 'registry.ollama.ai/library/gemma:2b does not support tools' }, 'bad request'],
  [
    'OpenAI, parameter',
    400,
    {
      error: { message: "Unsupported parameter: 'max_tokens' is not supported with this model.", param: 'max_tokens' },
    },
    'bad request',
  ],
  [
    'FastAPI, a prompt that is repeated',
    422,
    { detail: [{ loc: ['body'], msg: 'Field required', input: { messages: ['insufficient_quota billing'] } }] },
    'bad request',
  ],
  ['Anthropic, overloaded', 529, { error: { type: 'overloaded_error', message: 'Overloaded' } }, 'overloaded'],
  ['a gateway', 502, '<html>Bad gateway</html>', 'overloaded'],
  ['a time limit', 408, '', 'overloaded'],
  [
    'Anthropic, in the stream',
    200,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    'overloaded',
  ],
  [
    'OpenAI, no quota in the stream',
    200,
    { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } },
    'no credit',
  ],
  ['a stream that broke', 200, 'terminated', 'unreachable'],
  ['no response', undefined, 'fetch failed', 'unreachable'],
  [
    'Azure, content',
    400,
    { error: { code: 'content_filter', message: "triggering Azure OpenAI's content management policy", status: 400 } },
    'declined',
  ],
  [
    'OpenRouter, content',
    403,
    { error: { code: 403, message: 'This model requires moderation. Your input was flagged.' } },
    'declined',
  ],
  ['xAI, content', 403, { code: 'denied', error: 'Content violates usage guidelines.' }, 'declined'],
  ['OpenAI, request', 400, { error: { message: 'Invalid type for messages', code: 'invalid_type' } }, 'bad request'],
];

describe('the kind of a failed request', () => {
  it.each(REAL)('[R-16] of %s (%s)', (_who, status, body, kind) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(classify({ status, ...readError(text), isOverflow: false })).toBe(kind);
  });

  it.each([
    [400, 'too long'],
    [413, 'too long'],
    [500, 'too long'],
    [429, 'overloaded'],
    [401, 'key refused'],
  ] as const)('with a text about length and status %s is %s', (status, kind) => {
    expect(classify({ status, codes: [], message: 'too many tokens', isOverflow: true })).toBe(kind);
  });

  it('is found in a text of any form', () => {
    for (const text of ['', 'null', '[]', '{}', '{"error":null}', '{"error":{"message":7}}', '{"detail":[null,3]}'])
      expect(classify({ status: 400, ...readError(text), isOverflow: false })).toBe('bad request');
  });
});
