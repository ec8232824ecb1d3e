import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.js';

let folder: string;
let gateway: GatewayProcess;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'careless-'));
  const module = fileURLToPath(new URL('../support/careless.module.mjs', import.meta.url));
  const provider = { api: 'openai-completions', base_url: 'http://127.0.0.1:9', api_key: SECRET };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ providers: { acme: provider } }));
  gateway = new GatewayProcess({ folder, module, env: { CARELESS_SECRET: SECRET } });
});
afterEach(async () => {
  await gateway.end();
  rmSync(folder, { recursive: true });
});

/** The lines of the log with a message. */
const linesWith = (message: string) =>
  gateway.output
    .split('\n')
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Says something, and waits for the reply. */
async function say(content: string): Promise<void> {
  const client = await gateway.connect('c');
  client.send('message_in', { channel: 'test', sender: 'ann', content }, { id: content });
  const end = await client.next(({ type, payload }) => type === 'stream_end' && payload['id'] === content);
  expect(end.payload).toMatchObject({ reason: 'stop' });
}

const SECRET = 'CANARY of the settings';

describe('an error that nothing can catch', () => {
  it('is logged under the name of the tool that left it, once with how many came after it, and the gateway goes on', async () => {
    await say('/tool acme.careless {}');
    await expect.poll(() => linesWith('a tool has thrown where nothing can catch it')).toHaveLength(1);
    expect(linesWith('a tool has thrown')[0]).toMatchObject({ level: 'error', tool: 'acme.careless' });
    await say('are you there?');
    gateway.kill('SIGTERM');
    await gateway.exited;
    expect(linesWith('a tool has thrown')).toMatchObject([{ tool: 'acme.careless' }, { more: 1_000 }]);
    expect(gateway.output).not.toContain('CANARY');
  });

  it('ends the process if it is of no tool and no driver, with one line in which no secret is', async () => {
    await fetch(`http://127.0.0.1:${await gateway.port}/fault`, { method: 'POST', headers: gateway.localHeaders });
    expect(await gateway.exited).toMatchObject({ code: 1 });
    expect(linesWith('the process ends')).toMatchObject([{ level: 'error', error: { type: 'Error' } }]);
    expect(gateway.output).not.toContain('CANARY');
  });
});

describe('a warning', () => {
  it('of a tool, and one of Node that a tool causes, is a line of the log in which no secret is', async () => {
    await say('/tool acme.warning {}');
    await expect.poll(() => linesWith('a warning of the process')).toHaveLength(3);
    const warnings = linesWith('a warning of the process').map(({ warning }) => warning as { message: string });
    expect(warnings.map(({ message }) => message.replace(/ added to .*/, ''))).toEqual([
      '***: made',
      '***: called',
      'Possible EventEmitter memory leak detected. 11 ***: an event listeners',
    ]);
    expect(warnings[1]).toMatchObject({ code: 'ACME', detail: '***' });
    expect(gateway.output).not.toContain('CANARY');
  });
});
