import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { callTool, resultOf } from '../support/node-app.js';

const ROOT = resolve(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'bin/openclaw.js');

let folder: string;
let gateway: GatewayProcess;
let url: string;
let devices: ChildProcess[];

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'node-run-')));
  devices = [];
  const permissions = '["node","node:kitchen-mac","node:lamp"]';
  gateway = new GatewayProcess({ folder, env: { OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: permissions } });
  url = `http://127.0.0.1:${await gateway.port}`;
});
afterEach(async () => {
  for (const device of devices) {
    if (device.exitCode !== null || device.signalCode !== null) continue;
    device.kill('SIGTERM');
    await once(device, 'exit');
  }
  await gateway.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a program of a device. `output` is what it has said. */
function start(args: readonly string[], env: object = {}): { readonly child: ChildProcess; output: string } {
  const token = gateway.localHeaders.authorization.replace('Bearer ', '');
  const child = spawn(process.execPath, [...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], OPENCLAW_URL: url, OPENCLAW_TOKEN: token, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  devices.push(child);
  const started = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (started.output += String(chunk)));
  return started;
}

/** Runs a command to its end. Resolves with its output. */
async function run(...args: readonly string[]): Promise<string> {
  const started = start([COMMAND, ...args]);
  await once(started.child, 'close');
  return started.output;
}

async function invite(...flags: readonly string[]): Promise<string> {
  return (JSON.parse(await run('nodes', 'pair', '--json', ...flags)) as { code: string }).code;
}

describe('openclaw node run', () => {
  it('[F-15] makes this machine a device: it pairs, shares a folder, runs a program that a person allows, and is revoked', async () => {
    const shared = join(folder, 'shared');
    mkdirSync(shared);
    writeFileSync(join(shared, 'a.txt'), 'hello');
    const code = await invite('--name', 'Kitchen Mac', '--allow', 'system.*,files.*');
    const flags = ['--folder', join(folder, 'node'), '--root', shared, '--allow-run', 'echo *'];
    const device = start([COMMAND, 'node', 'run', '--pair', code, ...flags]);
    await eventually(() => expect(device.output).toContain(`kitchen-mac is connected to ${url}`));
    expect(await run('nodes')).toMatch(/kitchen-mac +Kitchen Mac +connected/);
    const person = await FrameClient.open(await gateway.port);
    callTool(person, 'node.kitchen-mac.files.read', { path: 'a.txt' });
    expect(await resultOf(person)).toMatchObject({ content: { text: 'hello' } });
    expect(await run('nodes', '--json')).toContain('"dangerous": true');
    const { items: tools } = (await (
      await fetch(`${url}/admin/v1/tools?limit=200`, { headers: gateway.localHeaders })
    ).json()) as {
      items: { name: string; parameters: { properties: { program?: { enum: string[] } } } }[];
    };
    const program = tools.find(({ name }) => name === 'node.kitchen-mac.system.run')?.parameters.properties.program
      ?.enum[0];
    callTool(person, 'node.kitchen-mac.system.run', { program, args: ['hi'] });
    const asked = await person.next(({ payload }) => payload['status'] === 'awaiting_approval');
    const { approval_id: id, arguments_sha256 } = asked.payload['approval'] as Record<string, string>;
    const operator = await FrameClient.open(await gateway.port, '', { headers: gateway.localHeaders });
    operator.send('approval', { approval_id: id, decision: 'allow', arguments_sha256 });
    expect(await resultOf(person)).toMatchObject({ content: { exit_code: 0, stdout: 'hi\n' } });
    const hasEnded = once(device.child, 'close');
    await run('nodes', 'revoke', 'kitchen-mac');
    await hasEnded;
    expect(device.child.exitCode).toBe(1);
    expect(device.output).toContain('Revoked');
    await Promise.all([person.close(), operator.close()]);
  });

  it('says what is missing', async () => {
    expect(await run('node', 'run', '--folder', join(folder, 'none'))).toContain('this machine is not paired');
    expect(await run('node', 'run', '--pair', '00000-00000', '--folder', join(folder, 'none'))).toContain(
      'This code is wrong',
    );
    expect(await run('node', 'run', '--allow-run', 'sh')).toContain('name its arguments too');
    const paired = ['node', 'run', '--folder', join(folder, 'one')];
    const first = start([COMMAND, ...paired, '--pair', await invite('--name', 'One')]);
    await eventually(() => expect(first.output).toContain('one is connected'));
    expect(await run(...paired)).toContain('another program uses the folder');
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const second = start([COMMAND, ...paired]);
    await eventually(() => expect(second.output).toContain('one is connected'));
    expect(await run('node', 'walk')).toContain('node knows run, not walk');
  });
});

describe('the example of a device', () => {
  it('[F-09] sets its lamp, refuses what is too hot, and reports its button', async () => {
    const lamp = start([join(ROOT, 'examples/node/lamp.mjs')], {
      PAIR: await invite('--name', 'Lamp'),
      FOLDER: join(folder, 'lamp'),
    });
    await eventually(() => expect(lamp.output).toContain('lamp offers lamp.set'));
    const person = await FrameClient.open(await gateway.port);
    callTool(person, 'node.lamp.lamp.set', { brightness: 40 });
    expect(await resultOf(person)).toMatchObject({ ok: true, content: { brightness: 40 } });
    callTool(person, 'node.lamp.lamp.set', { brightness: 90 });
    expect(await resultOf(person)).toMatchObject({ content: { message: expect.stringContaining('TOO_HOT') } });
    callTool(person, 'node.lamp.lamp.set', { brightness: 101 });
    expect(await resultOf(person)).toMatchObject({ content: { code: 'TOOL_INVALID_PARAMETERS' } });
    lamp.child.kill('SIGUSR2');
    await eventually(async () => {
      callTool(person, 'nodes.events', { node_id: 'lamp' });
      expect(await resultOf(person)).toMatchObject({
        content: { events: [{ event: 'button.pressed', data: { brightness: 40 } }] },
      });
    });
    await person.close();
  });
});
