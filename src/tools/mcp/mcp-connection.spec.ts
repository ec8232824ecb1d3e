import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { McpServerSetting } from './mcp.settings.js';
import { connectMcp, type McpConnection } from './mcp-connection.js';

const never = new AbortController().signal;
const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 't', version: '1' },
};
const call = { signal: never, timeoutMs: 60_000, onProgress: () => {} };

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string };
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Connects, and records the calls of the listener. */
async function connect(setting: McpServerSetting, signal = never) {
  const received = {
    closed: Promise.withResolvers<void>(),
    isClosed: false,
    changes: 0,
    texts: '',
    noise: [] as unknown[],
  };
  const listener = {
    onClose: () => {
      received.isClosed = true;
      received.closed.resolve();
    },
    onToolsChanged: () => void received.changes++,
    onText: (text: string) => void (received.texts += text),
    onNoise: (what: unknown) => void received.noise.push(what),
  };
  const connection = await connectMcp(setting, listener, signal);
  cleanups.push(() => connection.close());
  return { connection, received };
}

/** A program that answers `initialize`, and runs `script` with each message as `m` and `say` to answer. */
function program(script: string, before = ''): McpServerSetting {
  const code = `
    const say = (fields) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...fields }) + '\\n');
    ${before}
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const m = JSON.parse(line);
      if (m.method === 'initialize') say({ id: m.id, result: ${JSON.stringify(INITIALIZED)} });
      ${script}
    });`;
  return { command: process.execPath, args: ['-e', code] };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits for a process id on the program's standard error. */
async function untilPid(read: () => string): Promise<number> {
  for (;;) {
    const [, pid] = /pid (\d+)\./.exec(read()) ?? [];
    if (pid !== undefined) return Number(pid);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('an MCP server that is a program', () => {
  it('[L-27] gets the trace context of a call in the field that the protocol has for it, and none without one', async () => {
    const { connection } = await connect(
      program(`if (m.method === 'tools/call') say({ id: m.id, result: { content: [], _meta: { seen: m.params } } });`),
    );
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(await connection.callTool('echo', {}, { ...call, trace })).toMatchObject({
      _meta: { seen: { name: 'echo', _meta: { traceparent: trace } } },
    });
    const { _meta: without } = await connection.callTool('echo', {}, call);
    expect(JSON.stringify(without)).not.toContain('traceparent');
  });

  it('[Q-10] lists its tools unvalidated, so that one of them does not fail the others', async () => {
    const tools = [{ name: 'good' }, { name: 1, inputSchema: { properties: [] }, description: null }, null];
    const { connection } = await connect(
      program(`if (m.method === 'tools/list') say({ id: m.id, result: { tools: ${JSON.stringify(tools)} } });`),
    );
    expect(await connection.listTools(never)).toEqual(tools);
  });

  it('[Q-11] is not asked for more tools than can be used, nor twice for the same page', async () => {
    const { connection, received } = await connect(
      program(`if (m.method !== 'tools/list') return;
        process.stderr.write('page.');
        say({ id: m.id, result: { tools: Array(100).fill({ name: 'x' }), nextCursor: 'same' } });`),
    );
    expect(await connection.listTools(never)).toHaveLength(200);
    await expect.poll(() => received.texts).toBe('page.page.');
    const many = await connect(
      program(`if (m.method === 'tools/list') say({ id: m.id, result: { tools: Array(60000).fill({ name: 'x' }) } });`),
    );
    expect(await many.connection.listTools(never)).toHaveLength(256);
  });

  it('has no tools if it does not offer any', async () => {
    const setting = program(
      `if (m.method === 'tools/list') say({ id: m.id, error: { code: -32601, message: 'Method not found' } });`,
    );
    const args = setting.args?.map((arg) => arg.replace('"capabilities":{"tools":{}}', '"capabilities":{}')) ?? [];
    const { connection } = await connect({ ...setting, args });
    expect(await connection.listTools(never)).toEqual([]);
  });

  it('[Q-10] fails one call for one malformed result, and continues with the others', async () => {
    const { connection, received } = await connect(
      program(`if (m.method !== 'tools/call') return;
        if (m.params.name === 'slow') setTimeout(() => say({ id: m.id, result: { content: [] } }), 200);
        else if (m.params.name === 'list') say({ id: m.id, result: [] });
        else say({ id: m.id, result: { content: [{ type: 'error', text: null }], structuredContent: [] } });`),
    );
    const slow = connection.callTool('slow', {}, call);
    expect(await connection.callTool('odd', {}, call)).toEqual({
      content: [{ type: 'error', text: null }],
      structuredContent: [],
    });
    await expect(connection.callTool('list', {}, call)).rejects.toThrow('the result is not an object');
    expect(await slow).toEqual({ content: [] });
    expect(received.isClosed).toBe(false);
  });

  it('may omit the structured content that its output schema declares', async () => {
    const tool = { name: 'n8n', inputSchema: {}, outputSchema: { type: 'object', required: ['a'] } };
    const { connection } = await connect(
      program(`if (m.method === 'tools/list') say({ id: m.id, result: { tools: [${JSON.stringify(tool)}] } });
        if (m.method === 'tools/call') say({ id: m.id, result: { content: [{ type: 'text', text: 'done' }] } });`),
    );
    await connection.listTools(never);
    expect(await connection.callTool('n8n', {}, call)).toEqual({ content: [{ type: 'text', text: 'done' }] });
  });

  it('connects after a byte order mark and other text, which is reported', async () => {
    const { received } = await connect(
      program('', `process.stdout.write('hello\\n\\uFEFFbanner: '); process.stderr.write('for people');`),
    );
    expect(received.noise).toEqual(['hello']);
    await expect.poll(() => received.texts).toBe('for people');
  });

  it('ends a call immediately if its error has no code', async () => {
    const { connection } = await connect(
      program(`if (m.method === 'tools/call') say({ id: m.id, error: { message: 'no code' } });`),
    );
    await expect(connection.callTool('x', {}, call)).rejects.toThrow('no code');
  });

  it('[Q-11] is disconnected when a message has no end', async () => {
    const { connection, received } = await connect(
      program(`if (m.method === 'tools/call') setInterval(() => process.stdout.write('x'.repeat(1000000)), 1);`),
    );
    await expect(connection.callTool('x', {}, call)).rejects.toThrow('Connection closed');
    await received.closed.promise;
    expect(String(received.noise[0])).toContain('more than 16777216 bytes');
  });

  it('[Q-12] is ended with its handshake, with all its children', async () => {
    const stop = new AbortController();
    let texts = '';
    const silent = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      process.on('SIGTERM', () => {});
      process.stderr.write('pid ' + child.pid + '.');
      setInterval(() => {}, 1000);`;
    const listener = {
      onClose: () => {},
      onToolsChanged: () => {},
      onText: (text: string) => void (texts += text),
      onNoise: () => {},
    };
    const connecting = connectMcp({ command: process.execPath, args: ['-e', silent] }, listener, stop.signal);
    const pid = await untilPid(() => texts);
    stop.abort(new Error('stopped'));
    await expect(connecting).rejects.toThrow('stopped');
    expect(isAlive(pid)).toBe(false);
  });

  it('[Q-12] runs in its own process group, which a signal to the group of the gateway does not reach', async () => {
    const { received } = await connect(program('', `process.stderr.write('pid ' + process.pid + '.');`));
    const pid = await untilPid(() => received.texts);
    // Throws unless there is a process group with the id of the program.
    expect(process.kill(-pid, 0)).toBe(true);
  });

  it('is distinguished from a program that cannot be started', async () => {
    await expect(connect({ command: '/nonexistent/program' })).rejects.toThrow('ENOENT');
  });
});

/** Serves HTTP with a handler for each JSON-RPC message. */
async function serve(
  handle: (message: Request, response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const message = JSON.parse(body) as Request;
      if (message.method === 'initialize') return reply(response, message, { result: INITIALIZED });
      if (message.id === undefined) return void response.writeHead(202).end();
      handle(message, response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function reply(response: ServerResponse, { id }: Request, fields: object): void {
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id, ...fields }));
}

describe('an MCP server that is an address', () => {
  const good = async (connection: McpConnection) =>
    expect(await connection.callTool('good', {}, call)).toEqual({ content: [] });

  it.each([429, 502])('[Q-10] stays connected when one call is refused with %d', async (status) => {
    const url = await serve((message, response) => {
      if (message.params?.name === 'bad') response.writeHead(status).end('not now');
      else reply(response, message, { result: message.method === 'ping' ? {} : { content: [] } });
    });
    const { connection, received } = await connect({ url });
    await expect(connection.callTool('bad', {}, call)).rejects.toThrow('not now');
    await good(connection);
    expect(received.isClosed).toBe(false);
  });

  it('stays connected while all requests get 429', async () => {
    const pinged = Promise.withResolvers<void>();
    const url = await serve((message, response) => {
      response.writeHead(429).end();
      if (message.method === 'ping') pinged.resolve();
    });
    const { connection, received } = await connect({ url });
    await expect(connection.callTool('bad', {}, call)).rejects.toThrow('HTTP status 429');
    await pinged.promise;
    await expect(connection.callTool('bad', {}, call)).rejects.toThrow('HTTP status 429');
    expect(received.isClosed).toBe(false);
  });

  it('is disconnected when it has forgotten the session', async () => {
    const url = await serve((_message, response) => void response.writeHead(404).end('no session'));
    const { connection, received } = await connect({ url });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow('no session');
    await received.closed.promise;
  });

  it('reports the target of a redirect to another origin, and sends it no credentials', async () => {
    const asked: (string | undefined)[] = [];
    const other = await serve((_message, response, { headers }) => {
      asked.push(headers.authorization);
      response.end();
    });
    const url = await serve((_message, response) => void response.writeHead(307, { location: other }).end());
    const { connection } = await connect({ url, headers: { Authorization: 'Bearer secret-of-the-first' } });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow(`Redirect to ${other} not followed`);
    expect(asked).toEqual([]);
  });

  it('reports why it cannot be reached', async () => {
    // A port that no test listens on.
    await expect(connect({ url: 'http://127.0.0.1:9/' })).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    ['application/json', '{"a":"'],
    ['text/event-stream', 'event: message\ndata: '],
  ])('[Q-11] is read up to 16 MiB of an endless body: %s', async (type, start) => {
    let sent = 0;
    const url = await serve((message, response) => {
      if (message.params?.name === 'good') return reply(response, message, { result: { content: [] } });
      response.writeHead(200, { 'content-type': type }).write(start);
      const fill = () => {
        for (let mayGoOn = true; mayGoOn && !response.destroyed; sent++)
          mayGoOn = response.write('x'.repeat(1_000_000));
      };
      response.on('drain', fill);
      response.on('error', () => {});
      fill();
    });
    const { connection } = await connect({ url });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow();
    expect(sent).toBeLessThan(40);
    await good(connection);
  });

  it.each([
    ['', 'ended its response without a result'],
    [
      'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n',
      'without a result',
    ],
    ['data: {"jsonrpc', 'without a result'],
  ])('[Q-17] fails a call at once when its event stream ends without the response: %j', async (events, reason) => {
    const url = await serve((message, response) => {
      if (message.params?.name === 'good') return reply(response, message, { result: { content: [] } });
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events);
    });
    const { connection } = await connect({ url });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow(reason);
    await good(connection);
  });

  it('[Q-17] fails a call at once when its event stream breaks off', async () => {
    const url = await serve((_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begun\n\n', () => response.destroy());
    });
    const { connection } = await connect({ url });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow('the response broke off');
  });

  it('[Q-17] fails a call whose numbered event stream cannot be resumed', async () => {
    const url = await serve((_message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 1\nid: 1\ndata:\n\n');
    });
    const { connection } = await connect({ url });
    await expect(connection.callTool('x', {}, call)).rejects.toThrow('without a result');
  });

  it('may send more than 16 MiB in a stream of smaller events', async () => {
    const url = await serve((message, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let n = 0; n < 20; n++) response.write(`: ${'x'.repeat(1_000_000)}\n\n`);
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { content: [] } })}\n\n`);
    });
    const { connection } = await connect({ url });
    await good(connection);
  });

  it('[Q-12] ends its handshake with the signal even if it does not respond', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const stop = new AbortController();
    const connecting = connect({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }, stop.signal);
    const asked = new Promise((resolve) => server.once('request', resolve));
    await asked;
    stop.abort(new Error('stopped'));
    await expect(connecting).rejects.toThrow('stopped');
  });
});
