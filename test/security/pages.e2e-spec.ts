import { describe, expect, it } from 'vitest';
import { bearer, TOKENS, useTarget } from './target.js';

const target = useTarget();
const get = (path: string, headers: Record<string, string> = {}) =>
  target.request(path, { headers: { accept: 'text/html', ...headers } });

/** Pages of the gateway itself. */
const PAGES = ['/chat', '/console', '/node', '/chat/diagram'];

function readPolicy(headers: Readonly<Record<string, unknown>>): ReadonlyMap<string, readonly string[]> {
  const policy = String(headers['content-security-policy']);
  return new Map(
    policy.split(';').map((directive) => {
      const [name = '', ...values] = directive.trim().split(/\s+/);
      return [name, values];
    }),
  );
}

describe('a page', () => {
  it.each(PAGES)('[SE-13] %s runs its own files alone, and is framed by no other', async (path) => {
    const { status, text, headers } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    const policy = readPolicy(headers);
    expect(policy.get('default-src')).toEqual(["'none'"]);
    for (const [name, values] of policy) {
      const isStyle = name.startsWith('style-src') && path === '/chat/diagram';
      if (!isStyle) expect([name, values]).toEqual([name, expect.not.arrayContaining(["'unsafe-inline'"]) as string[]]);
      for (const value of ["'unsafe-eval'", '*', 'http:', 'https:', 'ws:', 'wss:'])
        expect([name, values]).toEqual([name, expect.not.arrayContaining([value]) as string[]]);
    }
    expect(policy.get('base-uri') ?? ["'none'"]).toEqual(["'none'"]);
    expect(policy.has('frame-ancestors')).toBe(true);
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>\s*\S/i);
    expect(text).not.toMatch(/\son[a-z]+\s*=|javascript:/i);
    expect(
      [...text.matchAll(/(?:src|href)="([^"]*)"/g)]
        .map(([, url = '']) => url)
        .filter((url) => /^(?:[a-z]+:)?\/\//i.test(url)),
    ).toEqual([]);
  });

  it('[SE-13] that the OpenAPI document has sets its own policy, which other paths do not get', async () => {
    expect(readPolicy((await get('/docs')).headers).get('script-src')).toEqual(["'self'"]);
    for (const path of ['/docsx', '/docs%2f..', '//docs', '/DOCS', '/nothing', '/admin/v1/me'])
      expect(readPolicy((await get(path)).headers).has('script-src') && path !== '/DOCS').toBe(false);
  });

  it('[SE-13] that does not exist shows nothing of its address', async () => {
    for (const path of [
      '/%3Cscript%3Ealert(1)%3C/script%3E',
      '/chat/assets/%3Cimg%20src=x%3E',
      '/auth/callback?state=%3Cscript%3E&error=%3Cscript%3E',
    ]) {
      const { headers, text } = await get(path);
      expect(headers['content-type']).toMatch(/^application\/problem\+json|^text\/html/);
      if (String(headers['content-type']).startsWith('text/html')) expect(text).not.toContain('<script>');
    }
  });

  it.each(PAGES)('[SE-03] %s has neither a token nor another gateway in its address', async (path) => {
    expect((await get(`${path}?token=${TOKENS.owner}`)).status).toBe(400);
    const plain = await get(path);
    expect(plain.status).toBe(200);
    const other = await get(`${path}?gateway=wss://evil.example&url=wss://evil.example&endpoint=//evil.example`);
    expect(other.text).toBe(plain.text);
    expect(readPolicy(other.headers).get('connect-src') ?? []).toEqual(
      readPolicy(plain.headers).get('connect-src') ?? [],
    );
  });

  it('[SE-03] of another host name gets no policy that names it', async () => {
    const { status, headers } = await get('/chat', { host: 'evil.example' });
    expect([status, headers['content-security-policy']]).toEqual([421, "default-src 'none'; frame-ancestors 'none'"]);
  });
});

describe('a file of a person', () => {
  const upload = async (body: string, type: string) => {
    const { status, json } = await target.request('/media', {
      method: 'POST',
      headers: { ...bearer(TOKENS.alice), 'content-type': type },
      body,
    });
    return { status, id: status === 201 ? String(json()['media_id']) : undefined };
  };

  it.each<[string, string, string]>([
    ['HTML', '<!doctype html><script>alert(1)</script>', 'text/html'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'image/svg+xml'],
    ['a script', 'alert(1)', 'text/javascript'],
    [
      'XML',
      '<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
      'application/xhtml+xml',
    ],
    ['HTML that calls itself a picture', '<html><script>alert(1)</script>', 'image/png'],
    ['a picture that continues as HTML', 'GIF89a/*<script>alert(1)</script>*/', 'image/gif'],
    ['PDF with a script', '%PDF-1.7 /JS (alert(1))', 'application/pdf'],
  ])('[SE-13] that is %s is never active', async (_, body, type) => {
    const { status, id } = await upload(body, type);
    if (id === undefined) return expect([400, 415]).toContain(status);
    const { headers } = await target.request(`/media/${id}`, { headers: bearer(TOKENS.alice) });
    expect(headers['content-type']).not.toMatch(/html|svg|xml|script/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  it('[SE-10] is read by no one else, and its name by no one at all', async () => {
    const { id } = await upload('plain text', 'text/plain');
    for (const token of [TOKENS.bob, TOKENS.otherDriver, TOKENS.stranger])
      expect((await target.request(`/media/${id}`, { headers: bearer(token) })).status).toBe(404);
    expect((await target.request(`/media/${id}`)).status).toBe(401);
    const bob = await target.connect(TOKENS.bob);
    const attachments = [{ kind: 'file', media_id: id }];
    const sent = bob.send('message_in', { channel: 'test', sender: 'bob', content: 'mine?', attachments });
    expect((await bob.answerTo(sent)).payload['code']).toMatch(/NOT_FOUND|INVALID_PAYLOAD/);
    await bob.close();
  });

  it('[SE-18] is taken from no one without messages:write, and not as a form', async () => {
    const post = (token: string, type: string) =>
      target.request('/media', {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': type },
        body: 'plain text',
      });
    expect((await post(TOKENS.reader, 'text/plain')).status).toBe(403);
    expect((await post(TOKENS.alice, 'multipart/form-data; boundary=x')).status).toBe(415);
    expect((await post(TOKENS.alice, 'application/x-www-form-urlencoded')).status).toBe(415);
  });
});

describe('a page that an agent drew', () => {
  it('[SE-13] has an address that is not guessed, and that a path cannot leave', async () => {
    for (const path of [
      '/canvas/main/guess',
      '/canvas/main/guess/page',
      '/canvas/..%2fadmin/x',
      `/canvas/main/${'A'.repeat(43)}`,
      '/canvas/__proto__/x',
    ])
      expect([400, 401, 404]).toContain((await get(path)).status);
  });
});
