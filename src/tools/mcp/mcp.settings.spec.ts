import { describe, expect, it } from 'vitest';
import { hideSecrets } from '../../core/config/secrets.js';
import { composeSettings, loadSettings } from '../../settings.js';

const load = (servers: object) =>
  loadSettings({ NODE_ENV: 'production', OPENCLAW_MCP_SERVERS: JSON.stringify(servers) }, {}, '/nonexistent');

describe('the settings of MCP servers', () => {
  it('accept a program or an address, by name', () => {
    const servers = {
      files: { command: 'x', args: ['y'], env: { A: 'b' } },
      far: { url: 'https://example.org/mcp', headers: { authorization: 'x' }, timeout_ms: 500 },
    };
    expect(load(servers).values['mcp.servers']).toEqual(servers);
    expect(loadSettings({ NODE_ENV: 'production' }, {}, '/nonexistent').values['mcp.servers']).toEqual({});
  });

  it.each([
    [{ a: {} }, 'a must have exactly one of command and url'],
    [{ a: { command: 'x', url: 'http://x' } }, 'a must have exactly one of command and url'],
    [{ a: { url: 'http://x', env: {} } }, 'a: args and env are for a command'],
    [{ a: { command: 'x', headers: {} } }, 'a: headers are for a url'],
    [{ a__b: { command: 'x' } }, 'mcp.servers'],
    [{ a: { url: 'http://user:secret@x' } }, 'mcp.servers'],
    [{ a: { command: 'x', shell: true } }, 'mcp.servers'],
    [{ a: { command: 'x', env: { A: '***' } } }, 'mcp.servers'],
    [{ a: { command: 'x', env: { 'A=B': 'x' } } }, 'mcp.servers'],
    [{ a: { command: 'x', env: { A: 'x\0' } } }, 'mcp.servers'],
    [{ a: { command: 'x', args: ['x\0'] } }, 'mcp.servers'],
    [{ a: { url: 'http://[' } }, 'mcp.servers'],
    [{ a: { url: 'http://x', headers: { 'x-a\r\nx-b': 'x' } } }, 'mcp.servers'],
    [{ a: { url: 'http://x', headers: { 'x-a': 'x\r\nx-b: y' } } }, 'mcp.servers'],
    [{ a: { url: 'http://x', headers: { '': 'x' } } }, 'mcp.servers'],
    [{ a: { url: 'http://x', headers: { 'x-a': '' } } }, 'mcp.servers'],
  ])('[P-05] refuse %j', (servers, fault) => {
    expect(() => load(servers)).toThrow(fault);
  });

  it('[P-14] never return secrets', () => {
    const row = composeSettings().find('mcp.servers')!;
    const shown = hideSecrets(row.schema, {
      a: { command: 'x', env: { TOKEN: 'secret' } },
      b: { url: 'http://x', headers: { authorization: 'secret' } },
    });
    expect(shown).toEqual({
      a: { command: 'x', env: { TOKEN: '***' } },
      b: { url: 'http://x', headers: { authorization: '***' } },
    });
  });
});
