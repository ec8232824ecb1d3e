import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** The examples as a team would have them: a folder of its own with its compiled files and its packages. */
let folder: string;
let gateway: GatewayProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'examples-'));
  // What an installation of the package would give: all packages, and the gateway as one of them.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  symlinkSync(ROOT, join(folder, 'node_modules/openclaw-gateway-nest'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['custom-tool', 'embed-in-nest-app']) {
    const source = join(ROOT, 'examples', name);
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', source, '--outDir', join(folder, name, 'dist')]);
  }
  cpSync(join(ROOT, 'examples/custom-tool/config.yaml'), join(folder, 'custom-tool/config.yaml'));
}, 60_000);
afterEach(() => gateway?.end());
afterAll(() => rmSync(folder, { recursive: true }));

describe('the examples', () => {
  it('[P-16] a tool from a module that config.yaml names is called under its permission', async () => {
    gateway = new GatewayProcess({ folder: join(folder, 'custom-tool') });
    const client = await FrameClient.open(await gateway.port);
    client.send('message_in', { channel: 'test', sender: 'ann', content: '/tool acme.dice {"sides": 2}' });
    const result = await client.next((frame) => frame.payload['block_type'] === 'tool_result');
    expect(JSON.parse(result.payload['content'] as string)).toMatchObject({
      ok: true,
      content: { eyes: expect.any(Number) as number },
    });
    await client.close();
  });

  it('[P-16] a team embeds the gateway beside its own controllers', async () => {
    gateway = new GatewayProcess({
      folder,
      script: join(folder, 'embed-in-nest-app/dist/main.js'),
      env: { PORT: '0' },
    });
    const port = await gateway.port;
    expect(await (await fetch(`http://127.0.0.1:${port}/acme/tools`)).json()).toContain('time.now');
    const client = await FrameClient.open(port);
    client.send('message_in', { channel: 'test', sender: 'ann', content: '/blocks 1' });
    await client.next('stream_end');
    await client.close();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  it('[P-17] a module that cannot be loaded stops the start and is named', async () => {
    gateway = new GatewayProcess({ folder, env: { OPENCLAW_MODULES: '["./nowhere.js"]' } });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toContain('"./nowhere.js"');
  });

  it('[P-17] two classes that name one tool stop the start, and both are named', async () => {
    const twin = `import { Module } from '@nestjs/common';
      import { Tool } from 'openclaw-gateway-nest';
      import Type from 'typebox';
      class TwinTool { execute() {} }
      Tool({ name: 'acme.dice', description: 'Another.', parameters: Type.Object({}) })(TwinTool);
      export class TwinModule {}
      Module({ providers: [TwinTool] })(TwinModule);`;
    writeFileSync(join(folder, 'custom-tool/twin.module.js'), twin);
    gateway = new GatewayProcess({
      folder: join(folder, 'custom-tool'),
      env: { OPENCLAW_MODULES: '["./dist/acme.module.js","./twin.module.js"]' },
    });
    expect((await gateway.exited).code).toBe(1);
    expect(gateway.output).toMatch(/DiceTool/);
    expect(gateway.output).toMatch(/TwinTool/);
  });
});
