import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ToolRegistryService } from '../../src/core/tools/tool-registry.service.js';
import type { CanvasBlock } from '../../src/protocol/index.js';
import { drawingAgent } from '../support/drawing-agent.js';
import { eventually } from '../support/eventually.js';
import type { SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const SERVER = 'test/support/mcp-app-server.mjs';
const PAGE = 'test/inputs/canvas/mcp-app.html';
const call = (tool: string, item: string) => [{ tool: `mcp__shop__${tool}`, parameters: { item } }];
const plans = {
  cart: call('cart', 'lamp'),
  again: call('cart', 'table'),
  none: call('cart', 'none'),
  huge: call('cart', 'huge'),
  plain: call('plain', 'lamp'),
  read: [{ tool: 'canvas.read', parameters: { surface_id: 'mcp-shop-cart' } }],
  own: [{ tool: 'canvas.update', parameters: { surface_id: 'mcp-shop-cart', html: '<h1>Mine</h1>' } }],
};

let folder: string;
let gateway: GatewayApp;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'mcp-apps-'))));
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(args: readonly string[] = [], permissions = ['canvas', 'mcp:shop']): Promise<void> {
  const shop = { command: process.execPath, args: [SERVER, `--page=${PAGE}`, ...args] };
  gateway = await GatewayApp.start({
    agent: drawingAgent(plans) as never,
    settings: {
      ...withTokens,
      'tools.default_permissions': permissions,
      'media.folder': folder,
      'mcp.servers': { shop },
    },
  });
  const registry = gateway.app.get(ToolRegistryService, { strict: false });
  await eventually(() => expect(registry.find('mcp__shop__cart')).toBeDefined());
}

/** Resolves with what the agent got for its call, and the blocks that show surfaces. */
async function say(content: keyof typeof plans): Promise<{ said: string; blocks: CanvasBlock[]; sessionId: string }> {
  const client = await gateway.connect('c', TOKENS.alice);
  const id = client.send('message_in', { channel: 'test', sender: 'alice', content });
  const frames: SeenFrame[] = [];
  let last: SeenFrame;
  do {
    last = await client.next(({ correlation_id, type }) => correlation_id === id && /^stream_(block|end)$/.test(type));
    frames.push(last);
  } while (last.type !== 'stream_end');
  await client.close();
  const of = (type: string) =>
    frames.filter(({ payload }) => payload['block_type'] === type).map(({ payload }) => payload['content'] as string);
  const blocks = of('canvas').map((text) => JSON.parse(text) as CanvasBlock);
  return { said: of('text').join(''), blocks, sessionId: last.session_id ?? '' };
}

describe('the page of a tool of an MCP server', () => {
  it('[Y-11] is a surface with the arguments and the result of the call', async () => {
    const seen = join(folder, 'capabilities');
    await start([`--capabilities=${seen}`]);
    const { said, blocks } = await say('cart');
    expect(said).toContain('"text":"cart of lamp"');
    expect(said).toContain('the person sees its page, the surface mcp-shop-cart');
    expect(said).not.toContain('for the page alone');
    expect(blocks).toEqual([
      {
        ...{ surface_id: 'mcp-shop-cart', version: 1, since: 1, kind: 'html', title: 'cart' },
        media_id: expect.stringMatching(/^f_/) as string,
        app: {
          ...{ server: 'shop', tool: 'cart', arguments: { item: 'lamp' } },
          result: {
            content: [{ type: 'text', text: 'cart of lamp' }],
            structuredContent: { item: 'lamp', price: 5 },
            _meta: { hidden: 'for the page alone' },
          },
        },
      },
    ]);
    expect(JSON.parse(readFileSync(seen, 'utf8'))).toEqual({
      extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
    });
  });

  it('[Y-11] replaces the one before, and becomes a page of the agent where the agent draws over it', async () => {
    await start();
    await say('cart');
    expect((await say('again')).blocks).toMatchObject([
      { surface_id: 'mcp-shop-cart', version: 2, since: 2, app: { arguments: { item: 'table' } } },
    ]);
    expect((await say('read')).said).toContain('"kind":"html","title":"cart"');
    const { blocks } = await say('own');
    expect(blocks).toMatchObject([{ surface_id: 'mcp-shop-cart', version: 3 }]);
    expect(blocks[0]).not.toHaveProperty('app');
  });

  it('[Y-11] is served without network and origin, whatever domains its server wants', async () => {
    await start();
    const { sessionId } = await say('cart');
    const client = await gateway.connect('c', TOKENS.alice);
    const asked = client.send('canvas_open', { surface_id: 'mcp-shop-cart' }, { session_id: sessionId });
    const url = (await client.answerTo(asked)).payload['url'] as string;
    const page = await fetch(`${gateway.url}/${url}/page`, { headers: { 'sec-fetch-dest': 'iframe' } });
    expect(await page.text()).toContain('<h1>Cart</h1>');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; .*sandbox allow-scripts$/);
    expect(policy).not.toContain('*');
    await client.close();
  });

  it('[Y-11] is not shown after a call that failed, nor for a tool without one', async () => {
    await start();
    expect(await say('none')).toMatchObject({
      said: '["The tool \\"mcp__shop__cart\\" failed: No such item"]',
      blocks: [],
    });
    expect(await say('plain')).toMatchObject({ said: '[{"text":"plain of lamp"}]', blocks: [] });
  });

  it('[Y-11] is left out, with the reason, where it is too large or of another type', async () => {
    await start(['--type=text/html']);
    const { said, blocks } = await say('cart');
    expect(said).toContain('its page is not shown: its type is text/html and not text/html;profile=mcp-app');
    expect(blocks).toEqual([]);
    await gateway.close();
    await start();
    const huge = await say('huge');
    expect(huge.said).toMatch(/its page is not shown: the surface would have \d+ bytes of arguments and result/);
    expect(huge.blocks).toEqual([]);
  });

  it('[Y-11] is not shown by an agent that may not draw', async () => {
    await start([], ['mcp:shop']);
    expect(await say('cart')).toMatchObject({ said: '[{"text":"cart of lamp"}]', blocks: [] });
  });

  it('[Y-11] keeps tools that are for pages alone from agents', async () => {
    await start();
    const registry = gateway.app.get(ToolRegistryService, { strict: false });
    const names = registry.list().flatMap(({ name }) => (name.startsWith('mcp__') ? [name] : []));
    expect(names).toEqual(['mcp__shop__cart', 'mcp__shop__ask', 'mcp__shop__plain']);
  });
});
