import { describe, expect, it } from 'vitest';
import { Api, ApiError, pathOf, type Credentials } from './api.js';

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

/** An API whose responses a test gives. */
function makeApi(respond: () => Response | Promise<Response>, who: Partial<Credentials> = {}) {
  const sent: Sent[] = [];
  let refusals = 0;
  const credentials: { -readonly [K in keyof Credentials]: Credentials[K] } = {
    ...{ token: 'secret', tenant: undefined, refused: () => refusals++ },
    ...who,
  };
  const api = new Api('https://gateway.example/claw/', credentials, async (url, init) => {
    sent.push({ url: url as string, init: init ?? {} });
    return respond();
  });
  return { api, credentials, sent, refusals: () => refusals };
}

const problem = (status: number, body: object) => () => Response.json(body, { status });

describe('a request of the console', () => {
  it('carries the token in a header, and only the filters that are set', async () => {
    const { api, sent } = makeApi(() => Response.json({ items: [] }));
    await api.page('/sessions', { q: 'a&b', mode: '', channel: undefined, limit: 50 }, 'next');
    expect(sent[0]?.url).toBe('https://gateway.example/claw/admin/v1/sessions?q=a%26b&limit=50&cursor=next');
    expect(sent[0]?.init).toMatchObject({
      headers: { Authorization: 'Bearer secret' },
      credentials: 'omit',
      redirect: 'error',
      mode: 'same-origin',
    });
  });

  it('uses the cookie when there is no token, and names the tenant that was chosen', async () => {
    const { api, sent } = makeApi(() => new Response(undefined, { status: 204 }), { token: undefined, tenant: 'acme' });
    expect(await api.delete(pathOf('sessions', 's/1'))).toBeUndefined();
    expect(sent[0]?.url).toBe('https://gateway.example/claw/admin/v1/sessions/s%2F1?tenant=acme');
    expect(sent[0]?.init).toMatchObject({ headers: {}, credentials: 'same-origin' });
  });

  it.each([
    [
      problem(422, {
        detail: 'wrong',
        code: 'INVALID_PAYLOAD',
        faults: [{ pointer: '/mode', message: 'must be main' }],
      }),
      422,
      'must be main',
    ],
    [problem(404, { detail: 'There is no session s_1', code: 'NOT_FOUND' }), 404, 'There is no session s_1'],
    [() => new Response('<html>', { status: 502 }), 502, ''],
    [() => Promise.reject(new TypeError('fetch failed')), 0, ''],
    [() => new Response('{"items": [', { status: 200 }), 0, ''],
  ])('fails with what the gateway says', async (respond, status, message) => {
    const { api } = makeApi(respond);
    await expect(api.get('/sessions')).rejects.toSatisfy(
      (error) => error instanceof ApiError && error.status === status && error.message === message,
    );
  });

  it('says when the credential is not accepted any more', async () => {
    const { api, refusals } = makeApi(problem(401, {}));
    await expect(api.get('/me')).rejects.toBeInstanceOf(ApiError);
    expect(refusals()).toBe(1);
  });

  it('that was sent with an older token ends no new access', async () => {
    const { api, credentials, refusals } = makeApi(() => {
      credentials.token = 'new';
      return Response.json({}, { status: 401 });
    });
    await expect(api.get('/sessions')).rejects.toHaveProperty('status', 401);
    expect(refusals()).toBe(0);
  });

  it('that was given up is not an error of the gateway', async () => {
    const abort = new AbortController();
    const { api } = makeApi(() => {
      abort.abort();
      throw abort.signal.reason;
    });
    await expect(api.get('/sessions', {}, abort.signal)).rejects.toHaveProperty('name', 'AbortError');
  });
});
