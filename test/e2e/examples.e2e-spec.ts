import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess, type GatewayProcessOptions } from '../support/gateway-process.js';
import { compile, compileExample, installPackage, type Installation } from '../support/installation.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** The examples as a team has them: a separate folder with compiled files and the installed package. */
let installation: Installation;
let customTool: string;
let customChannel: string;
let gateway: GatewayProcess | undefined;

const start = (options: GatewayProcessOptions) => new GatewayProcess({ command: installation.command, ...options });

beforeAll(() => {
  installation = installPackage();
  customTool = compileExample(installation, 'custom-tool');
  customChannel = compileExample(installation, 'custom-channel');
  compileExample(installation, 'embed-in-nest-app');
  compileExample(installation, 'custom-runtime');
});
afterEach(() => gateway?.end());
afterAll(() => rmSync(installation.folder, { recursive: true }));

async function changeConfig({ port, localHeaders }: GatewayProcess, changes: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${await port}/admin/v1/config`, {
    method: 'PATCH',
    headers: { ...localHeaders, 'content-type': 'application/json' },
    body: JSON.stringify({ version: 0, changes }),
  });
  return response.json();
}

describe('the examples', () => {
  it('[P-16] `openclaw start` calls a tool from a module that config.yaml names, under its permission', async () => {
    gateway = start({ folder: customTool });
    const client = await FrameClient.open(await gateway.port);
    client.send('message_in', { channel: 'test', sender: 'ann', content: '/tool acme.dice {"sides": 2}' });
    const result = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(JSON.parse(result.payload['content'] as string)).toMatchObject({
      ok: true,
      content: { eyes: expect.any(Number) as number },
    });
    await client.close();
  });

  it('[P-16] the settings of a tool are listed, and a change of them is checked and takes effect at once', async () => {
    gateway = start({
      folder: customTool,
      env: { OPENCLAW_ACME_DICE_LUCKY_NUMBER: '7' },
    });
    const port = await gateway.port;
    const client = await FrameClient.open(port);
    const throwDice = async (sides: number) => {
      client.send('message_in', { channel: 'test', sender: 'ann', content: `/tool acme.dice {"sides": ${sides}}` });
      const { payload } = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
      return JSON.parse(payload['content'] as string) as unknown;
    };
    const { settings } = (await (
      await fetch(`http://127.0.0.1:${port}/admin/v1/config`, { headers: gateway.localHeaders })
    ).json()) as { settings: { key: string }[] };
    expect(settings.filter(({ key }) => key.startsWith('acme.'))).toMatchObject([
      { key: 'acme.dice.max_sides', value: 20, source: 'file' },
      { key: 'acme.dice.lucky_number', value: 7, source: 'environment' },
    ]);
    expect(await throwDice(20)).toMatchObject({ ok: true, content: { eyes: 7 } });
    expect(await throwDice(21)).toMatchObject({ ok: false });
    expect(await changeConfig(gateway, { 'acme.dice.max_sides': 6 })).toMatchObject({
      details: { faults: [{ pointer: '/changes/acme.dice.max_sides' }] },
    });
    expect(await changeConfig(gateway, { 'acme.dice.max_sides': 21 })).toMatchObject({ version: 1 });
    expect(await throwDice(21)).toMatchObject({ ok: true });
    await client.close();
  });

  it('[P-05] faults in the settings of a module and of the gateway are listed together', async () => {
    gateway = start({
      folder: customTool,
      env: { OPENCLAW_ACME_DICE_MAX_SIDES: '1', OPENCLAW_ACME_DICE_LUCKY_NUMBER: '21', OPENCLAW_QUEUE_MAX_TOTAL: '0' },
    });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toContain('acme.dice.max_sides: must be >= 2; allowed: a whole number from 2 to 1000');
    expect(gateway.output).toContain('queue.max_total');
  });

  it('[P-16] the types of all settings reach a team that uses the package', () => {
    const probe = `import type { ConfigService } from '@nestjs/config';
      import type { ConfigStoreService, SettingsTree } from 'openclaw-gateway-nest';
      export function probe(config: ConfigStoreService, nest: ConfigService<SettingsTree, true>) {
        const right: number[] = [config.get('gateway.port'), config.get('acme.dice.max_sides')];
        right.push(nest.get('tools.http.timeout_ms', { infer: true }), nest.get('acme.dice.max_sides', { infer: true }));
        // @ts-expect-error no such setting
        config.get('acme.dice.max_side');
        // @ts-expect-error another type
        const wrong: string = config.get('acme.dice.max_sides');
        // @ts-expect-error another type
        const wrongToo: string = nest.get('gateway.port', { infer: true });
        return [right, wrong, wrongToo];
      }`;
    // A team installs these itself.
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(installation.folder, 'node_modules/@types/node'));
    const source = join(installation.folder, 'typed');
    cpSync(join(ROOT, 'examples/custom-tool'), source, { recursive: true });
    writeFileSync(join(source, 'probe.ts'), probe);
    compile(source, { noEmit: true });
  });

  it('[P-16] a team embeds the gateway next to its own controllers', async () => {
    gateway = start({
      folder: installation.folder,
      script: join(installation.folder, 'embed-in-nest-app/dist/main.js'),
      env: { PORT: '0' },
    });
    const port = await gateway.port;
    expect(await (await fetch(`http://127.0.0.1:${port}/acme/tools`)).json()).toContain('time.now');
    const readAgent = async () => (await fetch(`http://127.0.0.1:${port}/acme/agent`)).json();
    expect(await readAgent()).toEqual({ name: 'openclaw' });
    // It prints its address when the port is open, and the last steps of the start follow.
    await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200));
    expect(await changeConfig(gateway, { 'agent.name': 'ada' })).toMatchObject({ version: 1 });
    expect(await readAgent()).toEqual({ name: 'ada' });
    const client = await FrameClient.open(port);
    client.send('message_in', { channel: 'test', sender: 'ann', content: '/blocks 1' });
    await client.next('stream_end');
    await client.close();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  it('[P-16] a runtime of a team answers in place of a model, and calls a tool', async () => {
    const script = join(installation.folder, 'custom-runtime/dist/main.js');
    gateway = start({ folder: installation.folder, script, env: { PORT: '0' } });
    const client = await FrameClient.open(await gateway.port);
    client.send('message_in', { channel: 'test', sender: 'ann', content: 'What time is it?' });
    const result = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(JSON.parse(result.payload['content'] as string)).toMatchObject({ ok: true });
    const answer = await client.next((frame) => frame.payload['block_type'] === 'text');
    expect(answer.payload['content']).toContain('The clock says');
    expect((await client.next('stream_end')).payload).toMatchObject({ reason: 'stop' });
    await client.close();
  });

  it('[V-15] a channel is one class in a module of a team', () => {
    const check = join(customChannel, 'dist/check.js');
    const output = execFileSync(process.execPath, [check], { cwd: customChannel, encoding: 'utf8' });
    expect(output).toContain('the pager answers');
  });

  it('[V-32] its driver runs in a process of its own', () => {
    const check = join(customChannel, 'dist/check-driver.js');
    const output = execFileSync(process.execPath, [check], { cwd: customChannel, encoding: 'utf8' });
    expect(output).toContain('the pager answers, whatever dies');
  });

  it('a module under `openclaw start` can inject ToolRegistryService and ModuleRef', async () => {
    const probe = `import { Module } from '@nestjs/common';
      import { ModuleRef } from '@nestjs/core';
      import { ToolRegistryService } from 'openclaw-gateway-nest';
      export class ProbeModule {
        constructor(registry, modules) {
          const same = modules.get(ToolRegistryService, { strict: false }) === registry;
          console.log('the registry is ' + (same ? 'the one' : 'another'));
        }
      }
      Reflect.defineMetadata('design:paramtypes', [ToolRegistryService, ModuleRef], ProbeModule);
      Module({ imports: [] })(ProbeModule);`;
    writeFileSync(join(installation.folder, 'probe.module.js'), probe);
    gateway = start({ folder: installation.folder, env: { OPENCLAW_MODULES: '["./probe.module.js"]' } });
    await gateway.port;
    expect(gateway.output).toContain('the registry is the one');
  });

  it('[P-08] a module with a verifier lets `openclaw start` listen beyond loopback, for its credentials only', async () => {
    const verifier = `import { Module } from '@nestjs/common';
      import { VerifiesCredentials } from 'openclaw-gateway-nest';
      class AcmeVerifier {
        verify({ credential }) {
          if (credential.token !== 'acme-token-0123456789') return 'notMine';
          return { tenant: 'default', principal: 'acme:ann', role: 'user', scopes: new Set(), channels: ['webchat'], sender: 'ann' };
        }
      }
      VerifiesCredentials()(AcmeVerifier);
      export class AcmeModule {}
      Module({ providers: [AcmeVerifier] })(AcmeModule);`;
    writeFileSync(join(installation.folder, 'verifier.module.js'), verifier);
    const env = { OPENCLAW_MODULES: '["./verifier.module.js"]', OPENCLAW_GATEWAY_HOST: '0.0.0.0' };
    gateway = start({ folder: installation.folder, env });
    const health = async (headers: Record<string, string>) =>
      (await (await fetch(`http://127.0.0.1:${await gateway!.port}/health`, { headers })).json()) as object;
    expect(await health({ authorization: 'Bearer acme-token-0123456789' })).toHaveProperty('queued_messages');
    expect(await health({})).not.toHaveProperty('queued_messages');
  });

  it('[P-17] a module that cannot be loaded stops the start and is named', async () => {
    gateway = start({ folder: installation.folder, env: { OPENCLAW_MODULES: '["./nowhere.js"]' } });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toContain('"./nowhere.js"');
  });

  it('[P-17] two classes with one tool name stop the start, and both are named', async () => {
    const twin = `import { Module } from '@nestjs/common';
      import { Tool } from 'openclaw-gateway-nest';
      import Type from 'typebox';
      class TwinTool { execute() {} }
      Tool({ name: 'acme.dice', description: 'Another.', parameters: Type.Object({}) })(TwinTool);
      export class TwinModule {}
      Module({ providers: [TwinTool] })(TwinModule);`;
    writeFileSync(join(customTool, 'twin.module.js'), twin);
    gateway = start({
      folder: customTool,
      env: { OPENCLAW_MODULES: '["./dist/acme.module.js","./twin.module.js"]' },
    });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toMatch(/DiceTool/);
    expect(gateway.output).toMatch(/TwinTool/);
  });
});
