import { AuditStore, type AuditHead, type AuditRow, type ChainedRow } from '../../core/store/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoMetrics } from '../../core/telemetry/metrics.js';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';
import { KeptLogs, ManualClock } from '../../testing/index.js';
import type { McpCallOptions, McpConnection, McpListener } from './mcp-connection.js';
import { McpServerLink, type McpPages } from './mcp-server-link.js';

/** An MCP server that the test controls. */
class FakeServer implements McpConnection {
  tools: unknown[] = [
    {
      name: 'echo',
      description: 'Says it again.',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ];
  answer: (parameters: Record<string, unknown>, options: McpCallOptions) => Promise<Record<string, unknown>> = async ({
    text,
  }) => ({ content: [{ type: 'text', text: String(text) }] });
  isDown = false;
  isSilent = false;
  failsToList = false;
  connects = 0;
  lists = 0;
  closes = 0;
  listener: McpListener | undefined;

  connect = async (_setting: object, listener: McpListener, signal: AbortSignal): Promise<McpConnection> => {
    this.connects++;
    if (this.isDown) throw new Error('connection refused');
    if (this.isSilent)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    this.listener = listener;
    return this;
  };
  listTools = async () => {
    this.lists++;
    if (this.failsToList) throw new Error('no list');
    return this.tools;
  };
  callTool = (_name: string, parameters: Record<string, unknown>, options: McpCallOptions) =>
    this.answer(parameters, options);
  readResource = async () => ({ contents: [] });
  async close(): Promise<void> {
    this.closes++;
  }
}

let clock: ManualClock;
let logs: KeptLogs;
/** Forgets what it is given. */
class FakeAudit extends AuditStore {
  override async recordAudit(): Promise<void> {}
  override async listAudit(): Promise<readonly AuditRow[]> {
    return [];
  }
  override async readAuditHead(): Promise<AuditHead> {
    return { sequence: 0, hash: '' };
  }
  override async readAuditChain(): Promise<readonly ChainedRow[]> {
    return [];
  }
  override async eraseAuditPerson(): Promise<boolean> {
    return false;
  }
}

/** Shows no pages. */
const pages: McpPages = { mayShow: () => false, show: async () => 'unused' };

let registry: ToolRegistryService;
let server: FakeServer;
let link: McpServerLink;
let running: Promise<void>;

beforeEach(() => {
  clock = new ManualClock();
  logs = new KeptLogs();
  const config = { get: () => [] } as unknown as ConstructorParameters<typeof ToolRegistryService>[0];
  registry = new ToolRegistryService(
    config,
    { findToolPermissions: () => undefined, isGone: () => false },
    clock,
    new FakeAudit(),
    new NoMetrics(),
    logs,
  );
  server = new FakeServer();
  link = new McpServerLink('demo', {}, { registry, clock, log: logs.for(), connect: server.connect, pages });
});
afterEach(async () => {
  link.stop();
  await running;
});

/** Starts the link and waits until everything has settled. */
async function start(): Promise<void> {
  running = link.run();
  await clock.advanceAsync(0);
  await expectEventually(() => logs.lines.length > 0);
}

async function expectEventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const names = () => registry.list().map(({ name }) => name);
const call = (parameters: unknown, context: Partial<ToolCallContext> = {}) =>
  registry.find('mcp__demo__echo')!.handler(parameters, {
    signal: new AbortController().signal,
    reportProgress: () => {},
    ...context,
  } as ToolCallContext);

describe('the link to an MCP server', () => {
  it("[Q-02] registers the server's tools under the server's permission, at most one run per call", async () => {
    Object.assign(server.tools[0]!, { annotations: { idempotentHint: true, readOnlyHint: true } });
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

  it("[Q-03] truncates and cleans a server's descriptions of its tools", async () => {
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

  it('[Q-03] omits unusable tools, and keeps the others', async () => {
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

  it('[Q-04] reconnects after a loss, with growing delays, and removes the tools meanwhile', async () => {
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
    await clock.advanceAsync(5_000);
    await expectEventually(() => names().includes('mcp__demo__other'));
    expect(names()).toEqual(['mcp__demo__other']);
  });

  it('[Q-11] lists the tools once for a burst of changes, and at most every 5 s for a server that never stops', async () => {
    await start();
    for (let n = 0; n < 10_000; n++) server.listener?.onToolsChanged();
    await clock.advanceAsync(60_000);
    expect(server.lists).toBe(2);
    const { listTools } = server;
    server.listTools = async () => {
      server.listener?.onToolsChanged();
      return listTools();
    };
    server.listener?.onToolsChanged();
    for (let second = 0; second < 60; second++) {
      await clock.advanceAsync(1_000);
      await settle();
    }
    expect(server.lists).toBeLessThanOrEqual(15);
    expect(server.lists).toBeGreaterThan(5);
    expect(logs.lines.filter((line) => line === 'info tools of an MCP server')).toHaveLength(1);
  });

  it('keeps the known tools when a later list fails, and requests it again', async () => {
    await start();
    server.failsToList = true;
    server.listener?.onToolsChanged();
    await clock.advanceAsync(5_000);
    await expectEventually(() => logs.lines.includes('warn an MCP server does not list its tools'));
    expect(names()).toEqual(['mcp__demo__echo']);
    server.failsToList = false;
    server.tools = [{ name: 'other' }];
    await clock.advanceAsync(60_000);
    await expectEventually(() => names().includes('mcp__demo__other'));
  });

  it('reconnects when the first list fails', async () => {
    server.failsToList = true;
    await start();
    server.failsToList = false;
    await clock.advanceAsync(1_000);
    await expectEventually(() => names().length === 1);
    expect(server.closes).toBe(1);
  });

  it('[Q-12] ends at once when it is stopped during a handshake', async () => {
    server.isSilent = true;
    running = link.run();
    await settle();
    link.stop();
    await running;
    expect(logs.lines).toEqual([]);
  });

  it('[Q-10] keeps the valid tools of a server, whatever the others are', async () => {
    const sound = { name: 'sound', inputSchema: { type: 'object' } };
    server.tools = [
      { ...sound, name: 'any_of', inputSchema: { anyOf: [{ type: 'object' }, { type: 'object' }] } },
      { ...sound, name: 'empty', inputSchema: {} },
      { name: 'none' },
      { ...sound, name: 'output', outputSchema: { properties: [] } },
      { ...sound, name: 'odd_texts', description: null, title: 3, annotations: { readOnlyHint: 'yes' } },
      { ...sound, name: 'php', inputSchema: { type: 'object', properties: [] } },
      { ...sound, name: 'no_properties', inputSchema: { type: 'object', properties: null } },
      { ...sound, name: 7 },
      null,
      'text',
      sound,
    ];
    await start();
    await expectEventually(() => names().length > 0);
    expect(names().map((name) => name.slice('mcp__demo__'.length))).toEqual([
      ...['any_of', 'empty', 'none', 'output', 'odd_texts', 'no_properties', 'sound'],
    ]);
    expect(logs.lines.filter((line) => line === 'warn a tool of an MCP server cannot be used')).toHaveLength(4);
  });

  it('[Q-13] holds calls for its tools at the start and after a loss, and fails them at once while it is down', async () => {
    const never = new AbortController().signal;
    server.isSilent = true;
    running = link.run();
    const early = registry.awaitTool('mcp__demo__echo', never);
    await clock.advanceAsync(60_000);
    expect(await early).toMatchObject({
      code: 'TOOL_FAILED',
      details: { reason: 'the MCP server demo did not connect within 60000 ms' },
    });
    link.stop();
    await running;
    server.isSilent = false;
    link = new McpServerLink('demo', {}, { registry, clock, log: logs.for(), connect: server.connect, pages });
    const waiting = registry.awaitTool('mcp__demo__echo', never);
    await start();
    expect([await waiting, names()]).toEqual([undefined, ['mcp__demo__echo']]);
    server.listener?.onClose();
    await clock.advanceAsync(0);
    expect(names()).toEqual([]);
    const again = registry.awaitTool('mcp__demo__echo', never);
    server.isDown = true;
    await clock.advanceAsync(1_000);
    expect(await again).toMatchObject({ details: { reason: 'the MCP server demo cannot be reached' } });
  });

  it('[Q-14] hides the secrets of its setting in logs and in reasons', async () => {
    const secret = 'correct-horse-battery';
    const setting = { command: 'x', env: { TOKEN: secret, DEBUG: '1' }, headers: { Authorization: `Basic ${secret}` } };
    const written: object[] = [];
    const keep = (fields: object) => void written.push(fields);
    const log = { trace: keep, debug: keep, info: keep, warn: keep, error: keep, isEnabled: () => true };
    link = new McpServerLink('demo', setting, { registry, clock, log, connect: server.connect, pages });
    server.tools.push({ name: `${secret}${'x'.repeat(200)}` });
    running = link.run();
    await expectEventually(() => names().length === 1);
    server.listener?.onText(`my token is ${secret}, 1 of 1`);
    server.listener?.onNoise(`x${secret}`);
    server.answer = () => Promise.reject(new Error(`refused: Basic ${secret}`));
    await expect(call({ text: 'x' })).rejects.toThrow('refused: ***');
    server.isDown = true;
    server.connect = () => Promise.reject(new Error(`no ${secret}`));
    expect(written).toHaveLength(4);
    expect(JSON.stringify(written)).not.toContain(secret);
    expect(JSON.stringify(written)).toContain('my token is ***, 1 of 1');
  });

  it('[Q-04] ends with its connection when it is stopped', async () => {
    await start();
    link.stop();
    await running;
    expect([names(), server.closes]).toEqual([[], 1]);
  });

  it("[Q-05] fails with the server's error", async () => {
    await start();
    server.answer = async () => ({ isError: true, content: [{ type: 'text', text: 'no such ticket' }] });
    await expect(call({ text: 'x' })).rejects.toThrow('no such ticket');
  });

  it('[Q-05] truncates a result, and names parts that are not text', async () => {
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

  it.each([
    [{ content: [{ type: 'error', text: 'as a part' }] }, 'as a part'],
    [
      {
        content: [
          { type: 'text', text: null },
          { type: 'text', text: 'b' },
        ],
      },
      '[a part of type text that cannot be read]\nb',
    ],
    [{ content: [{ type: 'image', data: 'AAAA' }] }, '[image, of unknown type, 3 bytes]'],
    [{ content: [{ type: 'image' }] }, '[image, of unknown type, 0 bytes]'],
    [{ content: [{ type: 'resource', resource: { blob: 'AA' } }] }, '[resource unknown, of unknown type]'],
    [
      { content: [{ type: 'resource' }, { type: 'resource_link' }] },
      '[a part of type resource that cannot be read]\n[resource unknown: unknown]',
    ],
    [
      { content: [null, 3, 'text', []] },
      '[a part that cannot be read]\n[a part that cannot be read]\ntext\n[a part that cannot be read]',
    ],
    [{ content: 'only text' }, 'only text'],
    [{ content: { type: 'text', text: 'no list' } }, 'no list'],
    [{ content: null, structuredContent: ['a', 1] }, '["a",1]'],
    [{}, ''],
  ])('[Q-10] reads the valid parts of a malformed result: %j', async (result, text) => {
    await start();
    server.answer = async () => result;
    expect(await call({ text: 'x' })).toEqual({ text });
    expect(server.closes).toBe(0);
  });

  it('[Q-11] reads a bounded number of parts', async () => {
    await start();
    server.answer = async () => ({ content: Array.from({ length: 1_200 }, () => 'x') });
    expect(await call({ text: 'x' })).toMatchObject({ note: 'only the first 1000 of 1200 parts are shown' });
  });

  it('[Q-05] reports the progress of a call, at most once a second', async () => {
    await start();
    server.answer = async (_parameters, { onProgress }) => {
      for (let progress = 1; progress <= 1_000; progress++)
        onProgress({ progress, total: 1_000, message: 'step\u0007' });
      clock.advance(1_000);
      onProgress({ progress: 1_000 });
      return { content: [] };
    };
    const reports: string[] = [];
    await call({ text: 'x' }, { reportProgress: (detail) => reports.push(detail) });
    expect(reports).toEqual(['1 of 1000: step\uFFFD', '1000']);
  });
});
