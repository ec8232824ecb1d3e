import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { aClient, aPayload } from '../../src/testing/factories.js';
import { buildSessionSeed } from '../../src/core/sessions/session-key.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { storeAt } from '../../src/testing/test-stores.js';
import { buildModelHarness } from '../support/model-harness.js';
import { ModelServer } from '../support/model-server.js';

let server: ModelServer;
let harness: CoreHarness;
let ann: FakeReader;
let folder: string;

beforeEach(async () => {
  server = await ModelServer.start();
  server.mock.on({}, { content: 'Hello.' });
  folder = mkdtempSync(join(tmpdir(), 'model-choice-'));
});
afterEach(async () => {
  await harness.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  ann = new FakeReader();
  const provider = server.provider('openai-completions');
  harness = await buildModelHarness(server, 'openai-completions', {
    store: storeAt(`sqlite:${folder}/gateway.db`),
    settings: {
      'agent.model': 'a/one',
      'agent.fallbacks': ['b/two'],
      agents: { other: { model: 'a/three' }, stranger: { model: 'c/four', tenant: 'acme' } },
      providers: { a: provider, b: provider, c: { ...provider, tenant: 'acme' } },
      ...settings,
    },
  }).start();
}

let messages = 0;
async function say(content: string, { isAdmin = true, sender = 'ann', tenant = 'default' } = {}): Promise<string> {
  const id = `m${++messages}`;
  const payload = aPayload({ content, sender, sender_is_admin: isAdmin });
  const client = aClient({ tenant });
  await harness.say(ann, id, '', { payload, client, session: buildSessionSeed(tenant, payload) });
  const { usage } = (await ann.waitForEnd(id)).payload as { readonly usage?: { readonly model?: string } };
  return usage?.model ?? ann.blocksOf(id)[0]?.content ?? '';
}

describe('/model', () => {
  it('[R-22] shows the model and which ones are allowed', async () => {
    await start();
    expect(await say('/model')).toBe('Model: a/one, the default.\nAllowed: a/one, b/two, a/three.');
    expect(server.asked).toHaveLength(0);
  });

  it('[R-22] sets the model of this session, also over a restart, and sets it back', async () => {
    await start();
    expect(await say('/model a/three')).toBe('Model: a/three, for this session.');
    expect(await say('hello')).toBe('a/three');
    expect(await say('hello', { sender: 'bob' })).toBe('a/one');
    await harness.crash();
    await harness.stop();
    await start();
    expect(await say('/model')).toContain('Model: a/three, set for this session.');
    expect(await say('/status')).toContain('model: a/three\nfallbacks: b/two');
    expect(await say('/model default')).toBe('Model: a/one, the default.');
    expect(await say('hello')).toBe('a/one');
  });

  it('[R-22] is for operators and admins, and within what is allowed', async () => {
    await start();
    expect(await say('/model a/three', { isAdmin: false })).toContain('Only an operator or an admin');
    for (const model of ['a/nine', 'c/four', 'nonsense', 'b/'])
      expect(await say(`/model ${model}`)).toContain(`Model unchanged: ${model} is not allowed here.`);
    expect(await say('hello')).toBe('a/one');
  });

  it('[R-22] takes patterns, and needs a configured provider', async () => {
    await start({ 'agent.allowed_models': ['a/*', 'd/*'] });
    expect(await say('/model a/any:thing')).toBe('Model: a/any:thing, for this session.');
    expect(await say('hello')).toBe('a/any:thing');
    expect(await say('/model d/one')).toContain('the provider of d/one is not configured');
  });

  it('[R-22] keeps a choice that is no longer allowed without effect', async () => {
    await start({ 'agent.allowed_models': ['*'] });
    await say('/model b/five');
    expect(await say('hello')).toBe('b/five');
    await harness.crash();
    await harness.stop();
    await start();
    expect(await say('hello')).toBe('a/one');
  });

  it('[R-22] names and sets no model of another tenant where its agent stands in', async () => {
    await start();
    const acme = { tenant: 'acme' };
    expect(await say('/model', acme)).toBe('Model: that of openclaw, the default.\nAllowed: c/four, b/two.');
    expect(await say('/status', acme)).not.toMatch(/[ab]\//);
    expect(await say('/model a/three', acme)).toContain('Model unchanged: a/three is not allowed here.');
    expect(await say('hello', acme)).toBe('a/one');
    expect(await say('/model c/four', acme)).toBe('Model: c/four, for this session.');
    expect(await say('hello', acme)).toBe('c/four');
    expect(await say('/status', acme)).toMatch(/model: c\/four$/);
    expect(await say('/model default', acme)).toBe('Model: that of openclaw, the default.');
    expect(await say('/model', { tenant: 'other' })).toBe('Model: that of openclaw, the default.\nAllowed: no other.');
  });
});
