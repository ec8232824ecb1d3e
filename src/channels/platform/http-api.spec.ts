import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EgressInit } from '../../http/egress/egress-fetch.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { asForm, asJson, asMultipart } from './bodies.js';
import { HttpApi, type ApiResponse, type PlatformRules } from './http-api.js';

const ROOT = 'https://api.acme.example/v1';

let clock: ManualClock;
/** The requests, each with its URL. */
let requests: (EgressInit & { readonly url: string })[];
let respond: (url: string) => Response | Error;
beforeEach(() => {
  clock = new ManualClock();
  requests = [];
  respond = () => Response.json({ fine: true });
});

function make(rules: Partial<PlatformRules> = {}, noteTime?: (time: number) => void): HttpApi {
  const fetch = async (url: unknown, init: EgressInit = {}): Promise<Response> => {
    requests.push({ ...init, url: String(url) });
    const response = respond(String(url));
    if (response instanceof Error) throw response;
    return response;
  };
  const judge = () => undefined;
  const more = noteTime && { noteTime };
  return new HttpApi({ token: 't', root: ROOT, clock, fetch, ...more, platform: 'Acme', judge, ...rules });
}

describe('a call', () => {
  it('has a time limit, follows no redirect, and notes the time of the platform', async () => {
    const times: number[] = [];
    const headers = { date: 'Thu, 26 Nov 2026 12:00:00 GMT' };
    respond = () => Response.json({ fine: true }, { headers });
    const api = make({ headers: { authorization: 'Bearer t' } }, (time) => times.push(time));
    const { body } = await api.call('post', '/post', { body: asJson({ text: 'hello' }) });
    expect(body).toEqual({ fine: true });
    expect(requests).toMatchObject([
      {
        url: `${ROOT}/post`,
        method: 'POST',
        redirect: 'error',
        headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
        body: '{"text":"hello"}',
      },
    ]);
    expect(requests[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(times).toEqual([Date.parse(headers.date)]);
  });

  it.each([
    ['ECONNREFUSED', 'not_sent'],
    ['ECONNRESET', 'unknown'],
  ])('after %s is %s, and its error has no URL', async (code, outcome) => {
    respond = (url) => Object.assign(new Error(`connect ${url}`), { code });
    const message = expect.not.stringContaining('acme.example') as string;
    await expect(make().call('post', '/post')).rejects.toMatchObject({ outcome, message });
  });

  it('that the platform judges is an error of its class', async () => {
    const verdicts: Record<string, ReturnType<PlatformRules['judge']>> = {
      credential: { kind: 'credential', code: 'revoked' },
      account: { kind: 'account', code: 7, words: 'locked' },
      unknown: { kind: 'unknown', code: 500 },
      refused: { kind: 'refused', code: 'gone', words: 'no such chat', details: ['chat'] },
      limit: { kind: 'limit', code: 429, waitMs: 2_000 },
    };
    const api = make({ judge: (_: ApiResponse, name) => verdicts[name] });
    const failures = await Promise.all(
      Object.keys(verdicts).map((name) => api.call(name, '/').catch((error: unknown) => error)),
    );
    expect(failures).toMatchObject([
      { fault: 'bad_credential', message: 'Acme refuses the token: revoked' },
      { fault: 'misconfigured', message: 'account: 7 locked' },
      { outcome: 'unknown', message: 'unknown: 500' },
      { outcome: 'refused', code: 'gone', words: 'no such chat', details: ['chat'] },
      { outcome: 'not_sent', retryAfterMs: 2_000, isAccountWide: false },
    ]);
  });

  it('is not made before the time that the platform has named, for calls of the name or for all', async () => {
    let holds: 'call' | 'all' | undefined = 'call';
    const judge: PlatformRules['judge'] = ({ status }) =>
      status === 429 ? { kind: 'limit', code: 429, waitMs: 2_000, holds } : undefined;
    const api = make({ judge, patienceMs: 500 });
    const limited = () => Response.json({}, { status: 429 });
    const fine = respond;
    respond = limited;
    await expect(api.call('post', '/')).rejects.toMatchObject({ retryAfterMs: 2_000 });
    respond = fine;
    await expect(api.call('post', '/')).rejects.toMatchObject({ outcome: 'not_sent', retryAfterMs: 2_000 });
    await api.call('read', '/');
    await clock.advanceAsync(1_600);
    const waiting = api.call('post', '/');
    await clock.advanceAsync(400);
    await waiting;
    [respond, holds] = [limited, 'all'];
    await expect(api.call('post', '/')).rejects.toMatchObject({ isAccountWide: true });
    await expect(api.call('read', '/')).rejects.toMatchObject({ outcome: 'not_sent' });
    expect(requests).toHaveLength(4);
  });
});

describe('a file', () => {
  const open = (url: string) =>
    make({ headers: { authorization: 'Bearer t' }, ownHosts: /(^|\.)files\.example$/ }).open(url);

  it('is followed to other hosts of the platform, with the credential', async () => {
    respond = (url) =>
      url.endsWith('/1')
        ? new Response(null, { status: 302, headers: { location: 'https://b.files.example/2' } })
        : new Response('content', { headers: { 'content-type': 'text/plain' } });
    const { type, body } = await open('https://a.files.example/1');
    expect([type, String(await buffer(body))]).toEqual(['text/plain', 'content']);
    const withToken = { headers: { authorization: 'Bearer t' } };
    expect(requests).toMatchObject([withToken, withToken]);
  });

  it.each(['http://a.files.example/1', 'https://files.example.evil/1', 'file:///etc/passwd', 'nothing'])(
    'at %s is not asked for',
    async (url) => {
      await expect(open(url)).rejects.toMatchObject({ outcome: 'refused', code: 'host' });
      expect(requests).toEqual([]);
    },
  );

  it('that redirects elsewhere, or without end, is refused', async () => {
    let location = 'https://evil.example/1';
    respond = () => new Response(null, { status: 302, headers: { location } });
    await expect(open('https://files.example/1')).rejects.toMatchObject({ code: 'host' });
    location = 'https://files.example/1';
    await expect(open(location)).rejects.toMatchObject({ code: 'redirects' });
  });

  it.each([
    [404, 'refused'],
    [429, 'not_sent'],
    [502, 'not_sent'],
  ])('with the status %i is %s', async (status, outcome) => {
    respond = () => new Response('', { status });
    const message = `Acme responds with HTTP ${status}`;
    await expect(open('https://files.example/1')).rejects.toMatchObject({ outcome, message });
  });
});

describe('a body', () => {
  it('leaves out undefined fields, and has fields that are not texts as JSON', async () => {
    const fields = { text: 'a b', none: undefined, blocks: [1] };
    expect(asForm(fields).content).toBe('text=a+b&blocks=%5B1%5D');
    const file = { name: 'dot.png', mimeType: 'image/png', bytes: new Uint8Array([1, 2]) };
    const { type, content } = await asMultipart(fields, { file });
    const text = Buffer.from(content as Uint8Array).toString('latin1');
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    expect(text).toContain('name="file"; filename="dot.png"');
    expect(text).toContain('name="blocks"\r\n\r\n[1]');
    expect(text).not.toContain('none');
  });
});
