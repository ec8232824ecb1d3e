import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useChat } from '../support/chat-page.js';
import { drawingAgent } from '../support/drawing-agent.js';

const cart = [{ tool: 'mcp__shop__cart', parameters: { item: 'lamp' } }];
const args = ['test/support/mcp-app-server.mjs', '--page=test/inputs/canvas/mcp-app.html'];
const suite = useChat({
  agent: drawingAgent({ cart }) as never,
  settings: {
    'tools.default_permissions': ['canvas', 'mcp:shop'],
    'mcp.servers': { shop: { command: process.execPath, args } },
  },
});

describe('the page of an MCP server', () => {
  it('[Y-12] gets its result once it listens, says what a person presses, and reaches nothing', async () => {
    const chat = await suite.open({ viewport: { width: 1_440, height: 900 } });
    await chat.ask('cart');
    const frame = chat.page.frameLocator('canvas-page iframe');
    await frame.getByText('"structuredContent":{"item":"lamp","price":5}').waitFor();
    expect(await frame.locator('#early').innerText()).toBe('');
    expect(await frame.locator('#input').innerText()).toBe('{"arguments":{"item":"lamp"}}');
    expect((await frame.locator('#result').innerText()).match(/structuredContent/g)).toHaveLength(1);
    expect(await frame.locator('#network').innerText()).toBe('no network');
    expect(await frame.locator('#answers').innerText()).toBe(
      'unasked: {"isError":true};foreign: {"code":-32601,"message":"Method not found: resources/read"};',
    );
    await eventually(async () =>
      expect((await chat.page.locator('canvas-page iframe').boundingBox())?.height).toBeCloseTo(556, -1),
    );
    await frame.getByRole('button', { name: 'Read more' }).click();
    await chat.page.getByText('The page wants to open https://example.org/lamp').waitFor();
    await chat.page.getByRole('button', { name: 'Stay here' }).click();
    await frame.getByRole('button', { name: 'Order it' }).click();
    await frame.getByText('said: {}').waitFor();
    await chat.page.locator('.reply').getByText('"action":"message"').waitFor();
    expect(await chat.said.allInnerTexts()).toEqual(['cart', expect.stringContaining('I order the lamp')]);
    // What the frame has tried violates its own policy.
    chat.complaints.violations.length = 0;
  });
});
