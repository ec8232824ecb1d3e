import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';

let folder: string;
const processes: GatewayProcess[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'process-'))));
afterEach(async () => {
  for (const gateway of processes.splice(0)) await gateway.end();
  rmSync(folder, { recursive: true });
});

function start(env: Record<string, string> = {}): GatewayProcess {
  const gateway = new GatewayProcess({ folder, env });
  processes.push(gateway);
  return gateway;
}

const connect = async (gateway: GatewayProcess, token?: string) => {
  const client = await FrameClient.open(
    await gateway.port,
    '?client_id=c',
    token ? { headers: { authorization: `Bearer ${token}` } } : {},
  );
  await client.next('connected');
  return client;
};
const say = (client: FrameClient, id: string, content: string) =>
  client.send('message_in', { channel: 'test', sender: 'alice', content }, { id });
const probe = async (gateway: GatewayProcess, path: string) =>
  (await fetch(`http://127.0.0.1:${await gateway.port}${path}`)).status;

/** Writes the settings of an MCP server whose tool `mcp__demo__slow` takes until the test finishes it. */
function writeSlowTool(): { readonly started: () => Promise<void>; readonly finish: () => void } {
  const [started, go] = [join(folder, 'started'), join(folder, 'go')];
  const code = `const fs = require('node:fs');
    const say = (fields) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...fields }) + '\\n');
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method } = JSON.parse(line);
      if (method === 'initialize') say({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'd', version: '1' } } });
      if (method === 'tools/list') say({ id, result: { tools: [{ name: 'slow', inputSchema: { type: 'object' } }] } });
      if (method !== 'tools/call') return;
      fs.writeFileSync(${JSON.stringify(started)}, '');
      const waiting = setInterval(() => {
        if (!fs.existsSync(${JSON.stringify(go)})) return;
        clearInterval(waiting);
        say({ id, result: { content: [{ type: 'text', text: 'done in peace' }] } });
      }, 10);
    });`;
  writeConfig({ command: process.execPath, args: ['-e', code] });
  return { started: () => until(() => existsSync(started)), finish: () => writeFileSync(go, '') };
}

/** Names one MCP server, `demo`, whose tools every session may use. */
const writeConfig = (demo: object) =>
  writeFileSync(
    join(folder, 'config.yaml'),
    JSON.stringify({ mcp: { servers: { demo } }, tools: { default_permissions: ['mcp:demo'] } }),
  );
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const isRunning = (pid: number) => {
  try {
    return !/^[ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? 'X');
  } catch {
    return false;
  }
};

describe('the process', () => {
  it('limits its heap: a thread that it starts has a young generation of 4 MiB', async () => {
    writeFileSync(
      join(folder, 'team.mjs'),
      `import { Worker } from 'node:worker_threads';
      const measure = \`
        const young = require('node:v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
        console.log('young generation: ' + Math.round((young.space_used_size + young.space_available_size) / 1048576));\`;
      export class TeamModule {
        async onModuleInit() {
          await new Promise((resolve) => new Worker(measure, { eval: true }).once('exit', resolve));
        }
      }
      Reflect.defineMetadata('providers', [], TeamModule);`,
    );
    const gateway = start({ OPENCLAW_MODULES: '["./team.mjs"]' });
    await gateway.port;
    expect(gateway.output).toContain('young generation: 4\n');
  });

  it("does not load Node's `undici` at its start, which takes 60 ms", async () => {
    const preload = join(folder, 'preload.mjs');
    writeFileSync(
      preload,
      `process.once('exit', () => {
        console.log('loaded: ' + process.moduleLoadList.filter((name) => /(https|undici)$/.test(name)).join());
      });`,
    );
    const gateway = start({ NODE_OPTIONS: `--import ${preload}` });
    await gateway.port;
    gateway.kill('SIGTERM');
    await gateway.exited;
    expect(gateway.output).toContain('loaded: NativeModule https\n');
  });

  it('[L-01] prints its address, its pid and its store in one line, and is ready', async () => {
    const gateway = start();
    await gateway.port;
    expect(gateway.output).toContain(`(pid ${gateway.pid}, store sqlite:data/gateway.db)`);
    expect(await probe(gateway, '/health/startup')).toBe(200);
    expect(await probe(gateway, '/health/ready')).toBe(200);
  });

  it('[B-13] without a sandbox engine a command is a failed tool result with the reason, and the gateway goes on', async () => {
    writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ tools: { default_permissions: ['shell'] } }));
    const gateway = start({ PATH: folder, DOCKER_HOST: `unix://${folder}/no.sock` });
    const client = await connect(gateway);
    for (const id of ['first', 'second']) {
      say(client, id, '/tool shell.run {"command":"id"}');
      const failed = await client.next(({ payload }) => payload['status'] === 'failed');
      expect(failed.payload['detail']).toMatch(
        /no sandbox engine: no Docker daemon answers .*; bwrap cannot be started/,
      );
      await client.next('stream_end');
    }
    expect(await probe(gateway, '/health/ready')).toBe(200);
  });

  it('[L-03] [L-04] drains at SIGTERM: not ready, clients notified, no new work, running turns finish, exit code 0', async () => {
    const tool = writeSlowTool();
    const gateway = start();
    const client = await connect(gateway);
    say(client, 'running', '/tool mcp__demo__slow {}');
    await tool.started();
    gateway.kill('SIGTERM');
    const going = await client.next('going_away');
    expect(going.payload).toMatchObject({ reason: 'draining' });
    expect(going.payload['reconnect_after_ms']).toBeGreaterThan(0);
    expect(await probe(gateway, '/health/ready')).toBe(503);
    expect(await probe(gateway, '/health/live')).toBe(200);
    await expect(connect(gateway)).rejects.toThrow('HTTP 503');
    say(client, 'late', '/blocks 1');
    expect((await client.answerTo('late')).payload).toMatchObject({ code: 'DRAINING', retryable: true });
    tool.finish();
    expect((await client.next('stream_end')).payload).toMatchObject({ id: 'running', reason: 'stop' });
    expect((await client.ended).code).toBe(1012);
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  it('[AD-42] drains when an operator asks for it, and ends with exit code 0', async () => {
    const gateway = start();
    const client = await connect(gateway);
    const url = `http://127.0.0.1:${await gateway.port}/admin/v1/drain`;
    const response = await fetch(url, { method: 'POST', headers: gateway.localHeaders });
    expect([response.status, await response.json()]).toMatchObject([202, { phase: 'draining' }]);
    await client.next('going_away');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  it('[L-05] ends soon at a second signal, and running turns continue after the next start', async () => {
    const first = start();
    const client = await connect(first);
    say(client, 'running', '/blocks 2 3000');
    await client.next('stream_block');
    first.kill('SIGTERM');
    await client.next('going_away');
    // A different signal, since two equal ones within 100 ms count as one.
    first.kill('SIGINT');
    await first.exited;
    const again = await connect(start());
    again.send('resume');
    await again.next('stream_restart');
    expect((await again.next('stream_end')).payload).toMatchObject({ id: 'running', reason: 'stop', blocks: 2 });
  });

  it('[Q-12] ends the program of an MCP server with itself, even during a handshake and at a second signal', async () => {
    for (const signals of [1, 2]) {
      const pidFile = join(folder, `pid-${signals}`);
      const code = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
        require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))`;
      writeConfig({ command: process.execPath, args: ['-e', code] });
      const gateway = start();
      await gateway.port;
      await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
      for (const signal of (['SIGTERM', 'SIGINT'] as const).slice(0, signals)) gateway.kill(signal);
      await gateway.exited;
      const pid = Number(readFileSync(pidFile, 'utf8'));
      await until(() => !isRunning(pid));
    }
  });

  it('[Q-12] finishes a call of an MCP tool although SIGTERM was sent to its whole process group', async () => {
    const tool = writeSlowTool();
    const gateway = new GatewayProcess({ folder, leadsGroup: true });
    processes.push(gateway);
    const client = await connect(gateway);
    say(client, 'running', '/tool mcp__demo__slow {}');
    await tool.started();
    process.kill(-gateway.pid, 'SIGTERM');
    await client.next('going_away');
    tool.finish();
    const result = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(result.payload['content']).toContain('done in peace');
    expect(await gateway.exited).toMatchObject({ code: 0 });
  });

  it('[D-01] killed in the middle of an answer sends the rest after its next start', async () => {
    const first = start();
    const client = await connect(first);
    for (const id of ['one', 'two', 'three']) say(client, id, '/blocks 3 200');
    await client.next((frame) => frame.type === 'stream_block' && frame.payload['index'] === 1);
    first.kill('SIGKILL');
    await first.exited;
    const again = await connect(start());
    again.send('resume');
    for (const id of ['one', 'two', 'three']) {
      expect(
        (await again.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id)).payload,
      ).toMatchObject({ blocks: 3 });
    }
  });

  it('[D-08] gives up a turn that was interrupted too often, and says so', async () => {
    const env = { OPENCLAW_AGENT_MAX_ATTEMPTS: '2', OPENCLAW_FAILPOINT: 'model.mid_stream:1' };
    const first = start(env);
    say(await connect(first), 'poison', '/blocks 1');
    await first.exited;
    await start(env).exited;
    const client = await connect(start(env));
    client.send('resume');
    expect((await client.next('stream_end')).payload).toMatchObject({
      id: 'poison',
      reason: 'error',
      error: { code: 'TURN_INTERRUPTED' },
    });
  });

  it('[P-05] does not start with wrong settings and lists every fault', async () => {
    const gateway = start({ OPENCLAW_GATEWAY_PORT: '99999', OPENCLAW_LOG_LEVEL: 'loud', OPENCLAW_AUTH_JWT: '{}' });
    expect((await gateway.exited).code).toBe(1);
    for (const key of ['gateway.port', 'log.level', 'auth.jwt']) expect(gateway.output).toContain(key);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('[P-08] does not listen beyond loopback without a credential, and names the setting to change', async () => {
    const gateway = start({ OPENCLAW_GATEWAY_HOST: '0.0.0.0' });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toMatch(/auth\.token/);
  });

  it('[L-07] says so when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const gateway = start({ OPENCLAW_GATEWAY_PORT: String((other.address() as AddressInfo).port) });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toMatch(/port .*(in use|taken)/i);
    other.close();
  });

  it('[D-12] does not open a store that another process has open, and does not disturb that process', async () => {
    const first = start();
    await first.port;
    const second = start();
    expect((await second.exited).code).toBe(1);
    expect(second.output).toContain(String(first.pid));
    const client = await connect(first);
    say(client, 'a', '/blocks 1');
    await client.next('stream_end');
  });

  it('[D-13] does not open a file that is not a database, says what to do and overwrites nothing', async () => {
    writeFileSync(join(folder, 'broken.db'), 'this is not a database, but its owner may want it back');
    const gateway = start({ OPENCLAW_STORE_URL: 'sqlite:broken.db' });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toContain('broken.db');
    expect(readFileSync(join(folder, 'broken.db'), 'utf8')).toContain('its owner may want it back');
  });

  it('[L-08] a message can be followed by its message_ref through the logs, which hold neither its text nor a token', async () => {
    const token = 'a-token-that-must-not-be-logged';
    const gateway = start({ OPENCLAW_LOG_LEVEL: 'debug', OPENCLAW_AUTH_TOKEN: token });
    const client = await connect(gateway, token);
    const answered = async (id: string, content: string) => {
      say(client, id, content);
      const ref = (await client.next('message_ack')).payload['message_ref'] as string;
      await client.next('stream_end');
      return ref;
    };
    const answeredAtOnce = await answered('a', 'a confidential text');
    const answeredLater = await answered('b', '/wait 1');
    gateway.kill('SIGTERM');
    await gateway.exited;
    const linesOf = (ref: string) => {
      const lines = gateway.output.split('\n').filter((line) => line.includes(ref));
      return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    };
    expect(linesOf(answeredAtOnce)).toEqual(['acknowledged', 'turn ended at once']);
    expect(linesOf(answeredLater)).toEqual(['acknowledged', 'turn started', 'turn ended']);
    expect(gateway.output).not.toContain('confidential');
    expect(gateway.output).not.toContain(token);
  });
});
