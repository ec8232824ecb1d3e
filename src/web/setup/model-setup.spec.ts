import { describe, expect, it } from 'vitest';
import { AdminError, AdminRequests } from './admin-requests.js';
import { findChoiceFault, ModelSetup, type Candidate } from './model-setup.js';

const { signal } = new AbortController();
const candidate = (kind: Candidate['kind'], name: string, address = '') => ({ kind, name, address, models: ['m'] });
const choice = (chosen: Candidate, key = '', address = '') => ({ candidate: chosen, model: 'm', key, address });

/** A gateway with settings that a test changes, which answers each question. */
class FakeAdmin {
  settings: Record<string, unknown> = {};
  version = 3;
  trial: object = { ok: true, first_token_ms: 12, text: 'Hello.' };
  readonly asked: unknown[] = [];
  readonly changes: unknown[] = [];
  onTrial = () => {};
  onPatch = () => {};

  async send<T>(method: string, path: string, _signal: AbortSignal, body?: object): Promise<T> {
    return this.answer(`${method} ${path}`, body) as T;
  }

  private answer(request: string, body?: object): unknown {
    const offer = (name: string, base_url: string) => ({ name, base_url, models: [{ id: 'm' }] });
    switch (request) {
      case 'GET /config':
        return {
          version: this.version,
          settings: Object.entries(this.settings).map(([key, value]) => ({ key, value })),
        };
      case 'GET /models':
        return {
          items: [{ ...offer('ollama', 'http://127.0.0.1:1/v1'), fault: 'ECONNREFUSED' }],
          local_servers: [offer('ollama', 'http://127.0.0.1:2/v1')],
          known_providers: [offer('anthropic', 'https://api.anthropic.com')],
        };
      case 'POST /models/test':
        this.asked.push(body);
        this.onTrial();
        return this.trial;
      default:
        this.onPatch();
        this.changes.push(body);
        return { version: this.version + 1, needs_restart: [] };
    }
  }
}

function setUp(): { admin: FakeAdmin; setup: ModelSetup } {
  const admin = new FakeAdmin();
  return { admin, setup: new ModelSetup(admin) };
}

describe('setting up a model', () => {
  it('offers what is configured, runs on the machine, needs a key, or has an address', async () => {
    const found = await setUp().setup.find(signal);
    expect(found.kind === 'candidates' && found.candidates.map(({ kind, name }) => [kind, name])).toEqual([
      ['configured', 'ollama'],
      ['here', 'ollama-2'],
      ['known', 'anthropic'],
      ['other', ''],
    ]);
  });

  it.each([
    [{ 'agent.model': 'a/b' }, { kind: 'taken', model: 'a/b' }],
    [{ 'agent.runtime': 'builtin' }, { kind: 'builtin' }],
  ])('offers nothing with the settings %o', async (settings, expected) => {
    const { admin, setup } = setUp();
    admin.settings = settings;
    expect(await setup.find(signal)).toEqual(expected);
  });

  it.each([
    [
      choice(candidate('known', 'anthropic'), 'sk-1'),
      { api_key: 'sk-1' },
      { 'providers.anthropic': { api_key: 'sk-1' } },
    ],
    [
      choice(candidate('configured', 'anthropic'), 'sk-1'),
      { api_key: 'sk-1' },
      { 'providers.anthropic.api_key': 'sk-1' },
    ],
    [choice(candidate('configured', 'anthropic')), {}, {}],
  ])('asks one question, then saves: %o', async (chosen, asked, saved) => {
    const { admin, setup } = setUp();
    const outcome = await setup.tryAndSave(chosen, signal);
    expect(outcome).toEqual({ kind: 'done', model: 'anthropic/m', text: 'Hello.', firstTokenMs: 12 });
    expect(admin.asked).toEqual([{ provider: 'anthropic', model: 'm', ...asked }]);
    expect(admin.changes).toEqual([{ version: 3, changes: { 'agent.model': 'anthropic/m', ...saved } }]);
  });

  it.each([
    ['https://api.groq.com/openai/v1', 'groq'],
    ['http://127.0.0.1:9/v1', 'local'],
    ['http://localhost:9/v1', 'local'],
    ['http://[::1]:9/v1', 'local'],
  ])('names the server at %s after its host', async (address, name) => {
    const { admin, setup } = setUp();
    await setup.tryAndSave(choice(candidate('other', ''), 'sk-1', address), signal);
    expect(admin.changes).toMatchObject([
      {
        changes: {
          'agent.model': `${name}/m`,
          [`providers.${name}`]: { api: 'openai-completions', base_url: address, api_key: 'sk-1' },
        },
      },
    ]);
  });

  it('changes nothing when the model does not answer, or when it was cancelled while it was asked', async () => {
    const { admin, setup } = setUp();
    const cancelled = new AbortController();
    admin.onTrial = () => cancelled.abort();
    expect(await setup.tryAndSave(choice(candidate('here', 'ollama')), cancelled.signal)).toEqual({
      kind: 'cancelled',
    });
    admin.trial = { ok: false, reason: 'it refuses the key', detail: '401' };
    const outcome = await setup.tryAndSave(choice(candidate('here', 'ollama')), signal);
    expect(outcome).toEqual({ kind: 'silent', model: 'ollama/m', reason: 'it refuses the key', detail: '401' });
    expect(admin.changes).toEqual([]);
  });

  it('leaves a model alone that was set up meanwhile, and repeats a change that another one has overtaken', async () => {
    const { admin, setup } = setUp();
    let overtakes = 1;
    admin.onPatch = () => {
      if (overtakes-- > 0) throw new AdminError('stale');
    };
    expect(await setup.tryAndSave(choice(candidate('here', 'ollama')), signal)).toMatchObject({ kind: 'done' });
    admin.onTrial = () => (admin.settings = { 'agent.model': 'x/y' });
    const outcome = await setup.tryAndSave(choice(candidate('here', 'ollama')), signal);
    expect(outcome).toEqual({ kind: 'taken', model: 'x/y' });
    expect(admin.changes).toHaveLength(1);
  });

  it('gives up when other settings change each time', async () => {
    const { admin, setup } = setUp();
    admin.onPatch = () => {
      throw new AdminError('stale', 'changed');
    };
    const outcome = await setup.tryAndSave(choice(candidate('here', 'ollama')), signal);
    expect(outcome).toEqual({ kind: 'failed', failure: 'stale', detail: 'changed' });
  });

  it('says what is wrong with a choice before it is tried', () => {
    const other = candidate('other', '');
    const faults = [
      findChoiceFault(choice(other, '', 'host.example')),
      findChoiceFault(choice(candidate('known', 'openai'))),
      findChoiceFault({ ...choice(candidate('here', 'ollama')), model: 'two words' }),
      findChoiceFault(choice(other, '', 'https://host.example/v1')),
    ];
    expect(faults).toEqual(['address', 'key', 'model', undefined]);
  });
});

describe('a request of an operator', () => {
  const respond = (status: number, body: unknown) =>
    new AdminRequests(
      () => 'a-token',
      async () => new Response(JSON.stringify(body), { status }),
    );

  it.each([
    [401, {}, 'signed-out', ''],
    [403, { detail: 'no' }, 'forbidden', 'no'],
    [409, { detail: 'changed' }, 'stale', 'changed'],
    [400, { detail: 'bad', details: { faults: [{ message: 'must be a name' }] } }, 'refused', 'must be a name'],
    [500, 'not JSON of a problem', 'failed', ''],
  ])('that is answered with %i fails with the reason', async (status, body, failure, message) => {
    const sent = respond(status, body).send('GET', '/config', signal);
    await expect(sent).rejects.toMatchObject({ failure, message });
  });

  it('that a page of something else answers fails', async () => {
    const requests = new AdminRequests(
      () => undefined,
      async () => new Response('<p>Sign in to this network.</p>'),
    );
    await expect(requests.send('GET', '/config', signal)).rejects.toMatchObject({ failure: 'failed' });
  });

  it('that reaches no gateway fails as such, and sends the token in a header alone', async () => {
    const seen: unknown[] = [];
    const requests = new AdminRequests(
      () => 'a-token',
      async (path, init) => {
        seen.push([path, init?.headers, init?.credentials]);
        throw new TypeError('failed');
      },
    );
    await expect(requests.send('GET', '/config', signal)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(seen).toEqual([['admin/v1/config', { Authorization: 'Bearer a-token' }, 'omit']]);
  });
});
