import { AuditStore } from '../../src/core/store/index.js';
import { createRequire } from 'node:module';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Module } from '@nestjs/common';
import Type from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { ToolRegistryService } from '../../src/core/tools/tool-registry.service.js';
import { Tool, type ToolExecutor } from '../../src/core/tools/tool.decorator.js';
import type { CallReview, ToolCallContext } from '../../src/core/tools/tool.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp, TOKENS, withTokens, type GatewayAppOptions } from '../support/gateway-app.js';

const EVERYTHING = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
const everything = { command: process.execPath, args: [EVERYTHING, 'stdio'], env: { OWN: 'set' } };

const gateways: GatewayApp[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0).reverse()) await gateway.close();
});

async function start(options: GatewayAppOptions = {}): Promise<GatewayApp> {
  const gateway = await GatewayApp.start(options);
  gateways.push(gateway);
  return gateway;
}

async function untilTools(gateway: GatewayApp, prefix: string): Promise<string[]> {
  const registry = gateway.app.get(ToolRegistryService, { strict: false });
  return eventually(() => {
    const names = registry.list().flatMap(({ name }) => (name.startsWith(prefix) ? [name] : []));
    expect(names).not.toEqual([]);
    return names;
  });
}

/** Makes the built-in agent call a tool. Resolves with the content of its `tool_result`. */
async function call(
  gateway: GatewayApp,
  tool: string,
  parameters: object,
): Promise<{ ok: boolean; content: Record<string, string> }> {
  const client = await gateway.connect();
  client.send('message_in', {
    channel: 'test',
    sender: 'alice',
    content: `/tool ${tool} ${JSON.stringify(parameters)}`,
  });
  const block = await client.next(
    (frame) => frame.type === 'stream_block' && frame.payload['block_type'] === 'tool_result',
  );
  await client.close();
  return JSON.parse(block.payload['content'] as string) as never;
}

describe('tools of an MCP server that is a program', () => {
  const settings = { 'mcp.servers': { everything }, 'tools.default_permissions': ['mcp:everything'] };

  it('[Q-02] are called by name, with valid parameters', async () => {
    const gateway = await start({ settings });
    expect(await untilTools(gateway, 'mcp__')).toEqual(
      expect.arrayContaining(['mcp__everything__echo', 'mcp__everything__get-sum']),
    );
    expect(await call(gateway, 'mcp__everything__echo', { message: 'hi' })).toMatchObject({
      ok: true,
      content: { text: 'Echo: hi' },
    });
    expect(await call(gateway, 'mcp__everything__get-sum', { a: 'x', b: 2 })).toMatchObject({
      ok: false,
      content: { code: 'TOOL_INVALID_PARAMETERS' },
    });
  });

  it('[Q-13] are available to a message that arrives right after the start', async () => {
    const gateway = await start({ settings });
    expect(await call(gateway, 'mcp__everything__echo', { message: 'hi' })).toMatchObject({
      ok: true,
      content: { text: 'Echo: hi' },
    });
  });

  it('[Q-12] do not delay the stop of the gateway when their server is silent', async () => {
    const silent = {
      command: process.execPath,
      args: ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"],
    };
    const gateway = await start({ settings: { 'mcp.servers': { silent } } });
    await gateways.pop()?.close();
    expect(gateway.port).toBeGreaterThan(0);
  });

  it('[Q-02] are denied without the permission of the server', async () => {
    const gateway = await start({
      settings: { 'mcp.servers': { everything }, 'tools.default_permissions': ['mcp:other'] },
    });
    await untilTools(gateway, 'mcp__');
    expect(await call(gateway, 'mcp__everything__echo', { message: 'hi' })).toMatchObject({
      ok: false,
      content: { code: 'TOOL_DENIED' },
    });
  });

  it("[Q-06] get none of the gateway's environment except PATH", async () => {
    process.env['MCP_SECRET'] = 'do not tell';
    const gateway = await start({ settings });
    delete process.env['MCP_SECRET'];
    await untilTools(gateway, 'mcp__');
    const { content } = await call(gateway, 'mcp__everything__get-env', {});
    expect(JSON.parse(content['text'] ?? '')).toEqual({ OWN: 'set', PATH: process.env['PATH'] });
  });

  it('[Q-05] report progress, and end at their time limit', async () => {
    const gateway = await start({
      settings: { ...settings, 'mcp.servers': { everything: { ...everything, timeout_ms: 5_000 } } },
    });
    await untilTools(gateway, 'mcp__');
    const client = await gateway.connect();
    client.send('message_in', {
      channel: 'test',
      sender: 'alice',
      content: '/tool mcp__everything__trigger-long-running-operation {"duration": 60, "steps": 600}',
    });
    const status = (wanted: string) =>
      client.next((frame) => frame.type === 'tool_status' && frame.payload['status'] === wanted);
    expect((await status('progress')).payload['detail']).toMatch(/^\d+ of 600/);
    await status('timed_out');
  });
});

const Parameters = Type.Object({ text: Type.String() }, { additionalProperties: false });

@Tool({ name: 'acme.say', description: 'Says it.', parameters: Parameters, permissions: ['say'], idempotent: true })
class SayTool implements ToolExecutor<typeof Parameters> {
  execute({ text }: { text: string }, { reportProgress, session }: ToolCallContext): object {
    reportProgress('half of it');
    if (text === 'fail') throw new Error('as you wish');
    return { said: text, in: session.channel };
  }

  review({ text }: { text: string }): CallReview {
    return { needsApproval: text === 'danger' };
  }
}

@Tool({ name: 'acme.pay', description: 'Pays.', parameters: Parameters, requiresApproval: true })
class PayTool implements ToolExecutor<typeof Parameters> {
  execute(): string {
    return 'paid';
  }
}

const waiting = Promise.withResolvers<void>();
const stopped = Promise.withResolvers<void>();

@Tool({ name: 'acme.wait', description: 'Waits.', parameters: Type.Object({}) })
class WaitTool implements ToolExecutor {
  execute(_parameters: unknown, { signal }: ToolCallContext): Promise<never> {
    signal.addEventListener('abort', () => stopped.resolve());
    waiting.resolve();
    return new Promise(() => {});
  }
}

@Module({ providers: [SayTool, PayTool, WaitTool] })
class AcmeModule {}

describe('the gateway as an MCP server', () => {
  async function connect(gateway: GatewayApp, token = gateway.localToken): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit }));
    return client;
  }

  it('[Q-07] shows and calls the tools that the caller may use', async () => {
    const gateway = await start({ modules: [AcmeModule], settings: { 'tools.default_permissions': ['say'] } });
    const client = await connect(gateway);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['acme_say', 'time_now', 'session_info']));
    expect(tools.find(({ name }) => name === 'acme_say')).toEqual({
      name: 'acme_say',
      description: 'Says it.',
      inputSchema: {
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
        additionalProperties: false,
      },
      annotations: { idempotentHint: true },
    });
    const progress: unknown[] = [];
    const result = await client.callTool({ name: 'acme_say', arguments: { text: 'hi' } }, undefined, {
      onprogress: (report) => progress.push(report),
    });
    expect(result.content).toEqual([{ type: 'text', text: '{"said":"hi","in":"mcp"}' }]);
    expect(progress).toEqual([{ progress: 1, message: 'half of it' }]);
    await client.close();
  });

  it('[Q-07] says why a call failed', async () => {
    const gateway = await start({ modules: [AcmeModule], settings: { 'tools.default_permissions': ['say'] } });
    const client = await connect(gateway);
    for (const [name, parameters, reason] of [
      ['acme.say', { text: 'fail' }, 'as you wish'],
      ['acme.say', { text: 1 }, 'Invalid parameters'],
      ['acme.SAY', { text: 'x' }, 'no tool named'],
      ['shell.run', { command: 'id' }, 'the session lacks shell'],
      ['acme.pay', { text: 'x' }, 'needs approval, which is not available over MCP'],
      ['acme.say', { text: 'danger' }, 'needs approval, which is not available over MCP'],
    ] as const) {
      const { isError, content } = await client.callTool({ name, arguments: parameters });
      expect([isError, JSON.stringify(content)]).toEqual([true, expect.stringContaining(reason)]);
    }
    await client.close();
  });

  it("[Q-15] lists names that every client accepts, and accepts the gateway's names in calls", async () => {
    const gateway = await start({
      modules: [AcmeModule],
      settings: { 'tools.default_permissions': ['say', 'mcp:everything'], 'mcp.servers': { everything } },
    });
    const client = await connect(gateway);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([]);
    expect(tools.map(({ name }) => name)).toContain('mcp__everything__echo');
    for (const name of ['acme.say', 'acme_say']) {
      const { content } = await client.callTool({ name, arguments: { text: 'hi' } });
      expect(content).toEqual([{ type: 'text', text: '{"said":"hi","in":"mcp"}' }]);
    }
    await client.close();
  });

  it('[Q-15] treats null as no arguments, and says in a sentence what is wrong with other values', async () => {
    const gateway = await start();
    const ask = async (params: unknown) => {
      const response = await fetch(`${gateway.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${gateway.localToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      });
      const [, data = '{}'] = /^data: (.*)$/m.exec(await response.text()) ?? [];
      return JSON.parse(data) as { result?: { isError?: boolean }; error?: { code: number; message: string } };
    };
    const { result } = await ask({ name: 'time_now', arguments: null });
    expect([result !== undefined, result?.isError]).toEqual([true, undefined]);
    const trail = gateway.app.get(AuditStore, { strict: false });
    expect(await trail.listAudit({ action: 'mcp.call', order: 'oldest', limit: 9 })).toMatchObject([
      { actor: 'local', target: 'time.now' },
    ]);
    for (const params of [
      undefined,
      {},
      { name: 1 },
      { name: 'time_now', arguments: [] },
      { name: 'time_now', arguments: 'x' },
    ]) {
      const { error } = await ask(params);
      expect([error?.code, error?.message]).toEqual([
        -32_602,
        expect.stringMatching(/^The (name|arguments)\b.* must be/),
      ]);
    }
  });

  it('[Q-07] declares the length limits of texts', async () => {
    const gateway = await start({ settings: { 'tools.default_permissions': ['memory'] } });
    const client = await connect(gateway);
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'memory_save')?.inputSchema.properties?.['text']).toMatchObject({
      type: 'string',
      minLength: 1,
      maxLength: 4_096,
    });
    await client.close();
  });

  it('[Q-07] stops a call whose client has disconnected', async () => {
    const gateway = await start({ modules: [AcmeModule] });
    const client = await connect(gateway);
    const calling = client.callTool({ name: 'acme.wait', arguments: {} }).catch(() => {});
    await waiting.promise;
    await client.close();
    await stopped.promise;
    await calling;
  });

  it('[Q-08] is for operators with the scope tools:call, under the permissions of their credential', async () => {
    const tokens = [
      ...(withTokens['auth.tokens'] as object[]),
      {
        token: 'caller-token-0123456789',
        principal: 'caller',
        role: 'operator',
        scopes: ['tools:call'],
        tool_permissions: ['say'],
      },
    ];
    const gateway = await start({ modules: [AcmeModule], settings: { 'auth.tokens': tokens } });
    for (const token of [undefined, 'wrong-token-0123456789', TOKENS.alice, TOKENS.driver, TOKENS.reader]) {
      await expect(connect(gateway, token)).rejects.toThrow(
        /40[13]|Unauthorized|Forbidden|role operator|scope tools:call/,
      );
    }
    const operator = await connect(gateway, TOKENS.operator);
    expect((await operator.listTools()).tools.map(({ name }) => name)).not.toContain('acme_say');
    const caller = await connect(gateway, 'caller-token-0123456789');
    expect((await caller.listTools()).tools.map(({ name }) => name)).toContain('acme_say');
    await operator.close();
    await caller.close();
  });

  it('[Q-08] follows the rules of all HTTP requests: Origin, method, body', async () => {
    const gateway = await start();
    const send = (init: RequestInit) => fetch(`${gateway.url}/mcp`, { method: 'POST', body: '{}', ...init });
    const json = {
      authorization: `Bearer ${gateway.localToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    expect((await send({ headers: { ...json, origin: 'https://evil.test' } })).status).toBe(403);
    expect((await send({ method: 'GET', body: null, headers: json })).status).toBe(405);
    expect((await send({ method: 'DELETE', body: null, headers: json })).status).toBe(405);
    expect((await send({ headers: json })).status).toBe(400);
    expect((await send({ headers: json, body: '['.repeat(1_000) })).status).toBe(400);
  });

  it('[Q-09] serves its tools to another gateway', async () => {
    const server = await start({
      modules: [AcmeModule],
      settings: { ...withTokens, 'tools.default_permissions': ['say'] },
    });
    const far = { url: `${server.url}/mcp`, headers: { authorization: `Bearer ${TOKENS.operator}` } };
    const gateway = await start({ settings: { 'mcp.servers': { far }, 'tools.default_permissions': ['mcp:far'] } });
    expect(await untilTools(gateway, 'mcp__far__acme')).toContain('mcp__far__acme_say');
    expect(await call(gateway, 'mcp__far__acme_say', { text: 'hi' })).toMatchObject({
      ok: true,
      content: { text: '{"said":"hi","in":"mcp"}' },
    });
  });
});
