import { LLMock } from '@copilotkit/aimock';
import { WebSocket } from 'ws';
import { startGateway, TemporaryFolder, TOKEN } from '../servers.ts';
import { median } from '../statistics.ts';
import type { Scenario, Size } from './scenario.ts';

const SENDERS = 16;
const ANSWER = 'Here is an answer of about the length that people get. '.repeat(8);

/** Additional details for G3: the same turn with a model, played by a mock server, and the time to the first delta. */
export const modelTurn: Scenario = {
  name: 'turns with a model',
  figures: ['G3'],
  async measure(size) {
    const mock = new LLMock({ port: 0, host: '127.0.0.1' });
    mock.on(
      { userMessage: /time/, hasToolResult: false },
      { toolCalls: [{ name: 'time_now', arguments: '{}', id: 'call_1' }] },
    );
    mock.on({}, { content: ANSWER }, { chunkSize: 20 });
    await mock.start();
    try {
      return await measureWith(mock, size);
    } finally {
      await mock.stop();
    }
  },
};

async function measureWith(mock: LLMock, size: Size): Promise<Record<string, number>> {
  using folder = new TemporaryFolder();
  const providers = { mock: { api: 'openai-completions', base_url: `${mock.url}/v1` } };
  const env = { OPENCLAW_AGENT_MODEL: 'mock/model', OPENCLAW_PROVIDERS: JSON.stringify(providers) };
  await using gateway = await startGateway({ folder, env });
  const talk = await Talk.open(gateway.port);
  await talk.runTurns(size.pick(200, 40), 'hello');
  const count = size.pick(600, 80);
  const perTurn = (content: string) => gateway.cpuDuring(() => talk.runTurns(count, content));
  const plainUs = (await perTurn('hello')) / count;
  const withToolUs = (await perTurn('what time is it')) / count;
  const [own, through]: [number[], number[]] = [[], []];
  for (let i = 0; i < size.pick(60, 10); i++) {
    own.push(await timeFirstChunk(mock.url));
    through.push(await talk.timeFirstDelta());
  }
  talk.close();
  return {
    'model: CPU us per turn': plainUs,
    'model: CPU us per turn with one tool call': withToolUs,
    'model: ms to the first delta, p50': median(through),
    'model: ms to the first chunk of the provider itself, p50': median(own),
  };
}

/** A connection that sends for many senders and receives deltas. */
class Talk {
  private sent = 0;
  private readonly waiting = new Map<string, (type: string) => void>();
  private readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as { type: string; correlation_id?: string; payload: { id?: string } };
      this.waiting.get(frame.correlation_id ?? '')?.(frame.type);
    });
  }

  static async open(port: number): Promise<Talk> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?stream=delta`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return new Talk(socket);
  }

  async runTurns(count: number, content: string): Promise<void> {
    const perSender = Math.ceil(count / SENDERS);
    await Promise.all(
      Array.from({ length: SENDERS }, async () => {
        for (let i = 0; i < perSender; i++) await this.say(content, 'stream_end');
      }),
    );
  }

  async timeFirstDelta(): Promise<number> {
    const before = performance.now();
    let firstAt = 0;
    await this.say('hello', 'stream_end', (type) => {
      if (type === 'stream_delta' && firstAt === 0) firstAt = performance.now();
    });
    return firstAt - before;
  }

  close(): void {
    this.socket.terminate();
  }

  /** Each turn has its own session, so that the prompt does not grow. */
  private say(content: string, until: string, watch: (type: string) => void = () => {}): Promise<void> {
    const id = `m${++this.sent}`;
    const payload = { channel: 'bench', sender: `person-${id}`, content };
    this.socket.send(JSON.stringify({ type: 'message_in', id, timestamp: Date.now(), payload }));
    return new Promise((resolve) => {
      this.waiting.set(id, (type) => {
        watch(type);
        if (type !== until) return;
        this.waiting.delete(id);
        resolve();
      });
    });
  }
}

async function timeFirstChunk(url: string): Promise<number> {
  const before = performance.now();
  const body = JSON.stringify({ model: 'model', stream: true, messages: [{ role: 'user', content: 'hello' }] });
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  let elapsed = 0;
  for await (const _chunk of response.body ?? []) elapsed ||= performance.now() - before;
  return elapsed;
}
