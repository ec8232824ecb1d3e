import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { events, WireServer } from '../support/wire-server.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe('a provider behind an egress proxy', () => {
  it('is reached through the proxy that the environment names', async () => {
    const proxy = await WireServer.start();
    vi.stubEnv('HTTP_PROXY', proxy.url);
    // The environment is read when the module of the requests is loaded.
    vi.resetModules();
    const { buildModelHarness } = await import('../support/model-harness.js');
    proxy.answer(events({ choices: [{ delta: { content: 'Well said.' }, finish_reason: 'stop' }] }, '[DONE]'));
    const provider = { base_url: 'http://models.invalid/v1', max_retries: 0 };
    const harness = await buildModelHarness(proxy, 'openai-completions', { provider }).start();
    const ann = new FakeReader();
    await harness.say(ann, 'a', 'hello');
    await ann.waitForEnd('a');
    expect(ann.blocksOf('a')).toEqual([{ type: 'text', content: 'Well said.' }]);
    await harness.stop();
    proxy.stop();
  });
});
