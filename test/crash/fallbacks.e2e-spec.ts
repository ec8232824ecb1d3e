import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProviderSetting } from '../../src/agents/pi/providers.js';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { ModelServer } from '../support/model-server.js';

const MODULE = fileURLToPath(new URL('effects.module.mjs', import.meta.url));
const WIRE = 'openai-completions';

let folder: string;
let failing: ModelServer;
let standIn: ModelServer;
/** Accepts connections and drops them. */
let down: Server;
let dropped: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fallback-crash-'));
  [failing, standIn] = await Promise.all([ModelServer.start(), ModelServer.start()]);
  const call = { content: 'I look it up.', toolCalls: [{ name: 'test_effect', arguments: '{}', id: 'call_1' }] };
  standIn.mock.on({ hasToolResult: false }, call, { chunkSize: 6 });
  standIn.mock.on({ hasToolResult: true }, { content: 'It is done.' }, { chunkSize: 6 });
  dropped = 0;
  down = createServer((socket) => {
    dropped++;
    socket.destroy();
  });
  down.listen(0, '127.0.0.1');
  await once(down, 'listening');
});
afterEach(async () => {
  await Promise.all([failing.stop(), standIn.stop()]);
  down.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The ways in which a provider fails: each prepares one, and returns its setting. */
const FAILURES: Readonly<Record<string, () => ProviderSetting>> = {
  'is down': () => {
    const { port } = down.address() as AddressInfo;
    return { ...failing.provider(WIRE), base_url: `http://127.0.0.1:${port}/v1` };
  },
  'is slow': () => {
    failing.mock.on({}, { content: 'too late' }, { latency: 60_000 });
    return failing.provider(WIRE, { first_byte_timeout_ms: 1_000 });
  },
  'has no credit': () => {
    failing.mock.on({}, { error: { message: 'Your credit balance is too low' }, status: 400 });
    return failing.provider(WIRE);
  },
  'breaks in mid-stream': () => {
    const text = 'A first paragraph.\n\nA second one, and then some more of it.';
    failing.mock.on(
      {},
      { content: text },
      { chunkSize: 5, truncateAfterChunks: 9, streamingProfile: { ttft: 1, tps: 100 } },
    );
    return failing.provider(WIRE);
  },
};

function startGateway(provider: ProviderSetting, failpoint?: string): GatewayProcess {
  return new GatewayProcess({
    folder,
    module: MODULE,
    env: {
      OPENCLAW_AGENT_MODEL: 'failing/one',
      OPENCLAW_AGENT_FALLBACKS: '["standin/two"]',
      OPENCLAW_PROVIDERS: JSON.stringify({ failing: provider, standin: standIn.provider(WIRE) }),
      ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
    },
  });
}

async function connect(gateway: GatewayProcess): Promise<FrameClient> {
  const client = await FrameClient.open(await gateway.port, '?client_id=crash');
  await client.next('connected');
  return client;
}

async function readLog(gateway: GatewayProcess): Promise<SeenFrame[]> {
  const client = await connect(gateway);
  client.send('resume');
  const log: SeenFrame[] = [];
  while (log.at(-1)?.type !== 'stream_end') log.push(await client.next((frame) => frame.seq !== undefined));
  return log;
}

/** Where a turn is killed while the other provider answers; one for each failure, since each takes two processes. */
const MOMENTS: Readonly<Record<string, string>> = {
  'is down': 'model.mid_stream:1',
  'is slow': 'model.before_journal:1',
  'has no credit': 'tool.after_effect:1',
  'breaks in mid-stream': 'model.mid_stream:1',
};

describe.each(Object.entries(FAILURES))('a turn whose first provider %s', (name, prepare) => {
  it.each(['the failure', MOMENTS[name] ?? ''])(
    '[R-08] [R-16] killed at %s is answered once by the other, and no effect is repeated',
    async (moment) => {
      const provider = prepare();
      const isFailure = moment === 'the failure';
      const dying = startGateway(provider, isFailure ? undefined : moment);
      const client = await connect(dying);
      client.send('message_in', { channel: 'crash', sender: 'ann', content: 'please do it' }, { id: 'm1' });
      if (isFailure) {
        await expect
          .poll(() => failing.asked.length + failing.abandoned + dropped + failing.bodies.length)
          .toBeGreaterThan(0);
        dying.kill();
      }
      expect((await dying.exited).signal, dying.output).toBe('SIGKILL');
      const gateway = startGateway(provider);
      try {
        const log = await readLog(gateway);
        expect(log.map(({ seq }) => seq)).toEqual(log.map((_, i) => i + 1));
        expect(log.filter(({ type }) => type === 'stream_end').map(({ payload }) => payload)).toMatchObject([
          { reason: 'stop', blocks: 4, usage: { model: 'standin/two' } },
        ]);
        const path = join(folder, 'effects.log');
        const effects = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
        expect(effects).toBe(1);
      } finally {
        await gateway.end();
      }
    },
  );
});
