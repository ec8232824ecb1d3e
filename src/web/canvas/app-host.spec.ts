import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AppHost } from './app-host.js';

const app = { server: 'shop', tool: 'cart', arguments: { item: 'lamp' }, result: { content: [] } };
let did: unknown[];
let host: AppHost;
beforeEach(() => {
  vi.stubGlobal('innerHeight', 900);
  did = [];
  host = new AppHost(app, {
    send: (message) => did.push(message),
    resize: (height) => did.push(`resize ${String(height)}`),
    openLink: (url) => did.push(`link ${String(url)}`),
    say: (text) => text !== 'refused' && did.push(`say ${text}`) > 0,
  });
  return () => vi.unstubAllGlobals();
});
const ask = (method: string, params: unknown = {}, isPressed = false) =>
  host.hear({ jsonrpc: '2.0', id: 7, method, params }, isPressed);
const note = (method: string, params: unknown = {}) => host.hear({ jsonrpc: '2.0', method, params }, false);

describe('AppHost', () => {
  it('[Y-12] says nothing before the page listens, and the result once', () => {
    note('ui/notifications/initialised');
    expect(did).toEqual([]);
    ask('ui/initialize');
    expect(did).toMatchObject([{ id: 7, result: { protocolVersion: '2026-01-26' } }]);
    note('ui/notifications/initialized');
    note('ui/notifications/initialized');
    expect(did.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'ui/notifications/tool-input', params: { arguments: { item: 'lamp' } } },
      { jsonrpc: '2.0', method: 'ui/notifications/tool-result', params: { content: [] } },
    ]);
  });

  it('[Y-12] acts only while a person presses something', () => {
    const said = {
      role: 'user',
      content: [{ type: 'text', text: ' I order ' }, { type: 'image' }, { type: 'text', text: 'it' }],
    };
    ask('ui/message', said);
    ask('ui/open-link', { url: 'https://example.org' });
    expect(did).toEqual(Array.from({ length: 2 }, () => ({ jsonrpc: '2.0', id: 7, result: { isError: true } })));
    did.length = 0;
    ask('ui/message', said, true);
    ask('ui/open-link', { url: 'https://example.org' }, true);
    ask('ui/message', { content: { type: 'text', text: 'refused' } }, true);
    ask('ui/message', { content: 'no block' }, true);
    expect(did).toMatchObject([
      'say I order \nit',
      { result: {} },
      'link https://example.org',
      { result: {} },
      { result: { isError: true } },
      { error: { code: -32_602 } },
    ]);
  });

  it('[Y-12] drops what is not JSON-RPC, and refuses what it does not know', () => {
    for (const odd of [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { method: 'ping', id: 1 },
      { jsonrpc: '2.0', id: 1, result: {} },
    ])
      host.hear(odd, true);
    host.hear({ jsonrpc: '2.0', method: 7, id: 1 }, true);
    host.hear({ jsonrpc: '2.0', method: 'ui/notifications/size-changed', params: null }, false);
    expect(did).toEqual([]);
    note('ui/notifications/size-changed', { height: 10.2 });
    ask('resources/read', { uri: 'file:///etc/passwd' });
    ask('ping');
    ask('ui/request-display-mode', { mode: 'fullscreen' });
    expect(did).toMatchObject([
      'resize 11',
      { error: { code: -32_601 } },
      { result: {} },
      { result: { mode: 'inline' } },
    ]);
  });
});
