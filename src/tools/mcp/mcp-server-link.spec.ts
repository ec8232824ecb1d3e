import type { CallToolResult, Tool } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import { KeptLogs, ManualClock } from '../../testing/index.js';
import type { McpCallOptions, McpConnection, McpListener } from './mcp-connection.js';
import { McpServerLink } from './mcp-server-link.js';

/** An MCP server that does what the test says. */
class FakeServer implements McpConnection {
  tools: Tool[] = [
    {
      name: 'echo',
      description: 'Says it again.',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ];
  answer: (parameters: Record<string, unknown>, options: McpCallOptions) => Promise<CallToolResult> = async ({
    text,
  }) => ({ content: [{ type: 'text', text: String(text) }] });
  isDown = false;
  connects = 0;
  closes = 0;
  listener: McpListener | undefined;

  connect = async (_setting: object, listener: McpListener): Promise<McpConnection> => {
    this.connects++;
    if (this.isDown) throw new Error('nobody there');
    this.listener = listener;
    return this;
  };
  listTools = async () => this.tools;
  callTool = (_name: string, parameters: Record<string, unknown>, options: McpCallOptions) =>
    this.answer(parameters, options);
  async close(): Promise<void> {
    this.closes++;
  }
}

let clock: ManualClock;
let logs: KeptLogs;
let registry: ToolRegistryService;
let server: FakeServer;
let link: McpServerLink;
let running: Promise<void>;

beforeEach(() => {
  clock = new ManualClock();
  logs = new KeptLogs();
  const config = { get: () => [] } as unknown as ConstructorParameters<typeof ToolRegistryService>[0];
  registry = new ToolRegistryService(config, { findToolPermissions: () => undefined }, clock, logs);
  server = new FakeServer();
  link = new McpServerLink('demo', {}, { registry, clock, log: logs.for(), connect: server.connect });
});
afterEach(async () => {
  link.stop();
  await running;
});

/** Starts the link and lets everything settle that can. */
async function start(): Promise<void> {
  running = link.run();
  await clock.advanceAsync(0);
  await expectEventually(() => logs.lines.length > 0);
}

async function expectEventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const names = () => registry.list().map(({ name }) => name);
const call = (parameters: unknown, context: Partial<ToolCallContext> = {}) =>
  registry.find('mcp__demo__echo')!.handler(parameters, {
    signal: new AbortController().signal,
    reportProgress: () => {},
    ...context,
  } as ToolCallContext);

describe('the link to an MCP server', () => {
  it("[Q-02] makes the server's tools ours, under the server's permission, at most once for a call", async () => {
    server.tools[0]!.annotations = { idempotentHint: true, readOnlyHint: true };
    await start();
    const tool = registry.find('mcp__demo__echo');
    expect(tool).toMatchObject({
      permissions: ['mcp:demo'],
      idempotent: false,
      timeoutMs: 60_000,
      description: 'Tool of the MCP server demo, which says: Says it again.',
    });
    expect(tool?.findFaults?.({})).toEqual([{ pointer: '', message: "must have required property 'text'" }]);
    expect(await call({ text: 'hi' })).toEqual({ text: 'hi' });
  });

  it('[Q-03] cuts and cleans what a server says of its tools', async () => {
    const description = `\u001b[2J${'x'.repeat(10_000)}`;
    server.tools = [
      { name: 'a b\u0000', description, inputSchema: { type: 'object', properties: { p: { description: '\u0007' } } } },
    ];
    await start();
    const [tool] = registry.list();
    expect(tool?.name).toBe('mcp__demo__a_b_');
    expect(tool?.description).toHaveLength(2_048 + 'Tool of the MCP server demo, which says: '.length);
    expect(JSON.stringify(tool)).not.toMatch(/\\u00(1b|07|00)/);
  });

  it('[Q-03] leaves out tools that cannot be used, and keeps the others', async () => {
    const inputSchema = { type: 'object' as const };
    server.tools = [
      { name: 'remote', inputSchema: { ...inputSchema, $ref: 'http://evil.test' } },
      { name: 'nonsense', inputSchema: { ...inputSchema, minProperties: 'x' } },
      { name: 'x'.repeat(200), inputSchema },
      { name: 'same/name', inputSchema },
      { name: 'same name', inputSchema },
      { name: 'fine', inputSchema },
    ];
    await start();
    await expectEventually(() => logs.lines.some((line) => line.startsWith('info')));
    expect(names()).toEqual(['mcp__demo__same_name', 'mcp__demo__fine']);
    expect(logs.lines.filter((line) => line === 'warn a tool of an MCP server cannot be used')).toHaveLength(4);
  });

  it('[Q-04] connects again after a loss, waiting longer each time, and takes the tools away meanwhile', async () => {
    await start();
    server.isDown = true;
    server.listener?.onClose();
    await clock.advanceAsync(0);
    expect([names(), server.closes]).toEqual([[], 1]);
    for (const [waitMs, connects] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [3_999, 3],
      [1, 4],
    ] as const) {
      await clock.advanceAsync(waitMs);
      expect(server.connects).toBe(connects);
    }
    server.isDown = false;
    await clock.advanceAsync(8_000);
    await expectEventually(() => names().length === 1);
  });

  it('[Q-04] waits a minute at most', async () => {
    server.isDown = true;
    await start();
    await clock.advanceAsync(3_600_000);
    expect(server.connects).toBeGreaterThan(60);
    expect(server.connects).toBeLessThan(70);
  });

  it('[Q-04] follows a server whose tools change', async () => {
    await start();
    server.tools = [{ name: 'other', inputSchema: { type: 'object' } }];
    server.listener?.onToolsChanged();
    await expectEventually(() => names().includes('mcp__demo__other'));
    expect(names()).toEqual(['mcp__demo__other']);
  });

  it('[Q-04] ends with its connection when it is stopped', async () => {
    await start();
    link.stop();
    await running;
    expect([names(), server.closes]).toEqual([[], 1]);
  });

  it('[Q-05] fails with what the server says', async () => {
    await start();
    server.answer = async () => ({ isError: true, content: [{ type: 'text', text: 'no such ticket' }] });
    await expect(call({ text: 'x' })).rejects.toThrow('no such ticket');
  });

  it('[Q-05] caps an answer, and names what is no text', async () => {
    await start();
    server.answer = async () => ({
      content: [
        { type: 'image', data: 'AAAA', mimeType: 'image/png' },
        { type: 'resource', resource: { uri: 'demo://1', text: 'inside' } },
        { type: 'resource_link', uri: 'demo://2', name: 'two' },
        { type: 'text', text: 'x'.repeat(200_000) },
      ],
    });
    const result = (await call({ text: 'x' })) as { text: string; note: string };
    expect(result.text).toMatch(/^\[image, image\/png, 3 bytes\]\ninside\n\[resource two: demo:\/\/2\]\nx/);
    expect(result.note).toMatch(/^only the first 100000 of 200\d{3} characters are shown$/);
    server.answer = async () => ({ content: [], structuredContent: { a: 1 } });
    expect(await call({ text: 'x' })).toEqual({ text: '{"a":1}' });
  });

  it('[Q-05] tells how far a call is, once a second at most', async () => {
    await start();
    server.answer = async (_parameters, { onProgress }) => {
      for (let progress = 1; progress <= 1_000; progress++)
        onProgress({ progress, total: 1_000, message: 'step\u0007' });
      clock.advance(1_000);
      onProgress({ progress: 1_000 });
      return { content: [] };
    };
    const told: string[] = [];
    await call({ text: 'x' }, { reportProgress: (detail) => told.push(detail) });
    expect(told).toEqual(['1 of 1000: step\uFFFD', '1000']);
  });
});
