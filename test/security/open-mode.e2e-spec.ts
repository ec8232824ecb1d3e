import { statSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { RawSocket, upgradeLines } from '../support/raw-socket.js';
import { bearer, GUESS, useTarget } from './target.js';

const target = useTarget({ hasTokens: false });

async function endOf(headers: Record<string, string>) {
  const client = await FrameClient.open(target.port, '', { headers });
  const first = await Promise.race([client.ended, client.next('connected')]);
  client.socket.terminate();
  return 'code' in first ? first.code : 'open';
}

describe('a gateway without a credential', () => {
  it.each([
    ['Forwarded', 'for=127.0.0.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-For', ''],
    ['X-Forwarded-Host', 'localhost'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Made-Up', 'x'],
    ['X-Real-IP', '127.0.0.1'],
    ['Tailscale-User-Login', 'ada@example.com'],
    ['Tailscale-Made-Up', 'x'],
    ['x-FORWARDED-for', '::1'],
  ])('[SE-01] takes a request that was forwarded (%s: %s) for one from elsewhere', async (name, value) => {
    // Each is a failure of this address, and a few of them are allowed.
    expect(await endOf({ [name]: value })).toBe(4001);
  });

  it('[SE-01] is open to neither foreign pages nor other names of this machine', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      `http://localhost:${target.port + 1}`,
      `https://localhost:${target.port}`,
    ])
      await expect(FrameClient.open(target.port, '', { headers: { origin } })).rejects.toThrow('HTTP 403');
    for (const host of ['evil.example', 'localhost.evil.example', '0.0.0.0']) {
      const raw = await RawSocket.connect(target.port);
      raw.sendLines(upgradeLines(target.port, '/', { Host: host }));
      expect((await raw.readHead()).status).toBe(421);
      raw.destroy();
    }
    expect(await endOf({ origin: `http://localhost:${target.port}` })).toBe('open');
  });

  it('[SE-01] gives programs of this machine a chat, and nothing of the administration', async () => {
    const client = await FrameClient.open(target.port);
    expect((await client.next('connected')).payload).toMatchObject({
      role: 'operator',
      scopes: ['messages:write', 'presence:write', 'channels:write', 'sessions:read'],
    });
    const approval = { approval_id: 'a_1', decision: 'allow', arguments_sha256: 'a'.repeat(64) };
    expect((await client.answerTo(client.send('approval', approval))).payload).toMatchObject({ code: 'FORBIDDEN' });
    await client.close();
    for (const path of ['config', 'me', 'status', 'sessions', 'tokens', 'logs', 'events', 'audit', 'backup'])
      for (const headers of [{}, bearer(GUESS)]) {
        const { status } = await target.request(`/admin/v1/${path}`, { headers });
        expect([path, [401, 403, 405].includes(status)]).toEqual([path, true]);
      }
    expect([401, 403]).toContain((await target.request('/metrics')).status);
    expect([401, 403]).toContain(
      (await target.request('/mcp', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }))
        .status,
    );
  });

  it('[SE-01] keeps the token of its administration in a file of its own user, which counts for direct requests alone', async () => {
    const path = join(target.folder, 'data/local.token');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const token = readFileSync(path, 'utf8').trim();
    expect((await target.request('/admin/v1/me', { headers: bearer(token) })).status).toBe(200);
    const forwarded = { ...bearer(token), 'x-forwarded-for': '203.0.113.7' };
    expect((await target.request('/admin/v1/me', { headers: forwarded })).status).toBeGreaterThanOrEqual(401);
    expect(target.output).not.toContain(token);
  });
});
