import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadModel } from './pi-models.js';

const key = 'sk-test';

describe('the models of pi', () => {
  it('[R-04] are loaded with the first request: files import only types of pi', () => {
    const imports = globSync('src/**/*.ts').flatMap(
      (file) => readFileSync(file, 'utf8').match(/^import (?!type ).*@earendil-works.*$/gm) ?? [],
    );
    expect(imports).toEqual([]);
  });

  it('are known by name with their limits and inputs', async () => {
    const { model } = await loadModel('anthropic/claude-sonnet-4-5', {
      api: 'anthropic-messages',
      base_url: 'https://api.anthropic.com',
      api_key: key,
    });
    expect(model).toMatchObject({
      id: 'claude-sonnet-4-5',
      api: 'anthropic-messages',
      input: ['text', 'image'],
      reasoning: true,
    });
    expect(model.contextWindow).toBeGreaterThanOrEqual(200_000);
  });

  it('follow the settings where these define them', async () => {
    const provider = {
      api: 'openai-completions',
      base_url: 'https://proxy.example.org/v1',
      context_window: 10_000,
      max_output_tokens: 9_000,
      images: false,
    } as const;
    const { model } = await loadModel('openai/gpt-5', provider);
    expect(model).toMatchObject({
      baseUrl: 'https://proxy.example.org/v1',
      contextWindow: 10_000,
      maxTokens: 5_000,
      input: ['text'],
    });
    // The catalogue describes the model over another wire.
    expect(model.compat).not.toHaveProperty('supportsStrictMode');
    expect((await loadModel('local/toString', provider)).model.id).toBe('toString');
  });
});
