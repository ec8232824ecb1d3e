import { expect, it } from 'vitest';
import type { AgentDefinition } from '../../core/agents/agent-definition.js';
import type { AgentsService } from '../../core/agents/agents.service.js';
import type { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { SessionStore } from '../../core/store/index.js';
import { ModelChoice } from './model-choice.js';
import type { ProviderSettings } from './providers.js';

it('[R-22] loads a model once, and again when its provider or the wishes of its agent change', async () => {
  const providerWith = (limit: number): ProviderSettings => ({
    a: { api: 'openai-completions', base_url: 'http://127.0.0.1:9/v1', max_output_tokens: limit },
  });
  let providers = providerWith(77);
  const config = { get: () => providers } as unknown as ConfigStoreService;
  const models = new ModelChoice(config, {} as AgentsService, {} as SessionStore);
  const load = (wishes: Partial<AgentDefinition> = {}) => models.load('a/one', wishes as AgentDefinition);
  const limitOf = async (...all: Parameters<typeof load>) => (await load(...all)).model.maxTokens;

  expect(await load()).toBe(await load());
  expect([await limitOf(), await limitOf({ maxOutputTokens: 55 }), await limitOf()]).toEqual([77, 55, 77]);
  providers = providerWith(78);
  expect([await limitOf(), await limitOf({ maxOutputTokens: 55 })]).toEqual([78, 55]);
  providers = {};
  await expect(load()).rejects.toMatchObject({ code: 'AGENT_FAILED' });
});
