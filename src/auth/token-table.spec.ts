import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { loadSettings } from '../settings.js';
import { ROLE_SCOPES } from '../core/identity/principal.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { TokenTable } from './token-table.js';

const aTable = (settings: Record<string, unknown>) =>
  new TokenTable(new ConfigStoreService(loadSettings({}, settings, '/nonexistent'), new SilentLogs()));
const TOKEN = 'sixteen-characters';

describe('TokenTable', () => {
  it('[X-10] recognises a token by its text or only by its digest', () => {
    const hash = createHash('sha256').update('another-long-token').digest('hex');
    const table = aTable({
      'auth.tokens': [
        { token: TOKEN, principal: 'a', role: 'operator' },
        { token_sha256: hash, principal: 'b', role: 'node' },
      ],
    });
    expect(table.find(TOKEN)?.principal).toBe('a');
    expect(table.find('another-long-token')?.principal).toBe('b');
    for (const wrong of ['', 'sixteen-character', `${TOKEN}x`, TOKEN.toUpperCase(), hash])
      expect(table.find(wrong)).toBeUndefined();
    expect(JSON.stringify([...(table as unknown as { principals: Map<string, unknown> }).principals])).not.toContain(
      TOKEN,
    );
  });

  it('treats auth.token as a token of an operator with all scopes', () => {
    expect(aTable({ 'auth.token': TOKEN }).find(TOKEN)).toEqual({
      tenant: 'default',
      principal: 'operator',
      role: 'operator',
      scopes: new Set(ROLE_SCOPES.operator),
      channels: undefined,
      sender: undefined,
    });
  });

  it('binds a user to the web chat and to itself, unless its token defines otherwise', () => {
    expect(aTable({ 'auth.tokens': [{ token: TOKEN, principal: 'ada', role: 'user' }] }).find(TOKEN)).toMatchObject({
      channels: ['webchat'],
      sender: 'ada',
    });
    const own = {
      token: TOKEN,
      principal: 'ada',
      role: 'user',
      channels: ['x'],
      sender: 's',
      tenant: 't',
      scopes: ['messages:write'],
    };
    expect(aTable({ 'auth.tokens': [own] }).find(TOKEN)).toMatchObject({
      channels: ['x'],
      sender: 's',
      tenant: 't',
      scopes: new Set(['messages:write']),
    });
    expect(aTable({ 'auth.tokens': [{ token: TOKEN, principal: 'tg', role: 'channel' }] }).find(TOKEN)).toMatchObject({
      channels: undefined,
      sender: undefined,
    });
  });

  it('stops the start when a token has a scope that its role cannot have', () => {
    const token = { token: TOKEN, principal: 'ada', role: 'user', scopes: ['messages:write', 'config:write'] };
    expect(() => aTable({ 'auth.tokens': [token] })).toThrow(
      /auth\.tokens\[0\]\.scopes: role user cannot hold config:write; allowed: messages:write/,
    );
  });

  it('[P-07] fails the start if one credential belongs to two principals', () => {
    const sha256 = createHash('sha256').update(TOKEN).digest('hex');
    const twice = [
      { token: TOKEN, principal: 'a', role: 'user' },
      { token_sha256: sha256, principal: 'b', role: 'operator' },
    ];
    expect(() => aTable({ 'auth.tokens': twice })).toThrow('auth.tokens[1]: is the same credential');
    expect(() => aTable({ 'auth.tokens': [twice[0]], 'auth.token': TOKEN })).toThrow(
      'auth.token: is the same credential',
    );
  });
});
