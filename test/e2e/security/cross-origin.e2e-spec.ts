import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayApp, TOKENS, withTokens } from '../../support/gateway-app.js';

const LISTED = 'https://portal.example.com';
const APP = 'tauri://localhost';

let gateway: GatewayApp;
beforeAll(async () => {
  gateway = await GatewayApp.start({ settings: { ...withTokens, 'gateway.allowed_origins': [LISTED, APP] } });
});
afterAll(() => gateway.close());

const request = (path: string, method: string, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, { method, headers, redirect: 'manual' });
const preflight = (path: string, origin: string) =>
  request(path, 'OPTIONS', { origin, 'access-control-request-method': 'POST' });

describe('a page of another origin', () => {
  it.each([LISTED, APP])('[X-31] that is listed uploads and reads files: %s', async (origin) => {
    const answer = await preflight('/media', origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    const upload = await fetch(`${gateway.url}/media`, {
      method: 'POST',
      headers: { origin, authorization: `Bearer ${TOKENS.operator}` },
      body: 'plain text',
    });
    expect(upload.status).toBe(201);
    expect(upload.headers.get('access-control-allow-origin')).toBe(origin);
    expect(upload.headers.get('vary')).toContain('Origin');
  });

  it('[X-31] that is not listed gets no access, and a listed one to files only', async () => {
    for (const origin of ['https://evil.example', 'null', 'tauri://other', `${LISTED}:444`]) {
      const answer = await preflight('/media', origin);
      expect([origin, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([origin, 403, null]);
    }
    const other = await preflight('/admin/v1/config', LISTED);
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the address of the gateway in a browser', () => {
  it('[W-01] leads to the chat, wherever a proxy serves it', async () => {
    const answer = await request('/', 'GET');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'chat']);
  });

  it('[X-11] says which methods a path has, for another method and for OPTIONS', async () => {
    const cases = [
      ['/health/live', 'POST', 405, 'GET, HEAD'],
      ['/health/live', 'OPTIONS', 204, 'GET, HEAD'],
      ['/admin/v1/config', 'DELETE', 405, 'GET, HEAD, PATCH'],
      ['/media/f_1', 'PUT', 405, 'GET, HEAD'],
      ['/media', 'OPTIONS', 204, 'POST'],
      ['/nowhere', 'OPTIONS', 404, null],
      ['/nowhere', 'GET', 404, null],
    ] as const;
    for (const [path, method, status, allow] of cases) {
      const answer = await request(path, method);
      expect([path, method, answer.status, answer.headers.get('allow')]).toEqual([path, method, status, allow]);
    }
  });

  it('[X-11] says which method /mcp takes', async () => {
    const answer = await request('/mcp', 'GET', { authorization: `Bearer ${TOKENS.operator}` });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
