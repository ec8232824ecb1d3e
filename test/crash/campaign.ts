import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';

const MODULE = fileURLToPath(new URL('effects.module.mjs', import.meta.url));

/** The messages of each life. Their answers are known, so that a wrong one is detected. */
const WORK = [
  { sender: 'ann', content: '/blocks 4' },
  { sender: 'ann', content: '/tool test.effect {}' },
  { sender: 'bob', content: '/blocks 3 5' },
  { sender: 'bob', content: 'hello' },
  { sender: 'cleo', content: '/tool test.effect {}' },
  { sender: 'cleo', content: '/blocks 2' },
] as const;

interface SentMessage {
  readonly id: string;
  readonly sender: string;
  readonly content: string;
  sessionId?: string;
  hasEnded: boolean;
}

export interface Death {
  /** `NAME:NTH`: the process kills itself there. */
  readonly failpoint?: string;
  /** The process is killed once the client has seen this many frames. */
  readonly afterFrames?: number;
  /** SIGTERM is sent once a turn runs, so that the process dies while it drains. */
  readonly drains?: boolean;
}

/**
 * One store through many deaths: in each life the client reconnects, repeats unacknowledged messages under the same ids,
 * and sends more. {@link verify} checks the result from outside, through the protocol.
 */
export class Campaign {
  readonly folder = mkdtempSync(join(tmpdir(), 'crash-'));
  kills = 0;
  private readonly sent: SentMessage[] = [];
  private lives = 0;

  /** Runs one life until its death. A process that outlives its work is killed when idle. */
  async live(death: Death): Promise<void> {
    this.lives++;
    const gateway = this.startGateway(death.failpoint);
    try {
      await this.work(gateway, death);
    } catch (error) {
      // The process may die at any moment, even while it starts. Any other failure is a fault.
      if (!(await diesSoon(gateway))) throw error;
    }
    gateway.kill();
    const { signal } = await gateway.exited;
    expect(signal, gateway.output).toBe('SIGKILL');
    this.kills++;
  }

  /** Starts the gateway again without a failpoint and asserts the invariants for all sent messages. */
  async verify(): Promise<void> {
    const gateway = this.startGateway();
    try {
      const client = await FrameClient.open(await gateway.port, '?client_id=crash');
      await client.next('connected');
      const pending = this.sent.filter((message) => message.sessionId === undefined);
      for (const message of pending) this.send(client, message);
      await this.takeAcknowledgements(client, pending);
      await client.close();
      const logs = new Map<string, SeenFrame[]>();
      for (const sessionId of new Set(this.sent.map((message) => message.sessionId as string))) {
        logs.set(sessionId, await this.readLog(await gateway.port, sessionId));
      }
      for (const message of this.sent) checkAnswer(message, logs.get(message.sessionId ?? '') ?? []);
      this.checkEffects();
      expect(gateway.output).not.toMatch(/"level":"error"/);
    } finally {
      await gateway.end();
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private startGateway(failpoint?: string): GatewayProcess {
    return new GatewayProcess({
      folder: this.folder,
      module: MODULE,
      env: {
        // Many deaths may hit the same turn, and giving it up is not tested here.
        OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
        OPENCLAW_GATEWAY_DRAIN_TIMEOUT_MS: '0',
        ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
      },
    });
  }

  private async work(gateway: GatewayProcess, death: Death): Promise<void> {
    const client = await FrameClient.open(await gateway.port, '?client_id=crash');
    await client.next('connected');
    client.send('resume');
    const pending = this.sent.filter((message) => message.sessionId === undefined);
    const fresh = WORK.map((work, i) => ({ id: `life-${this.lives}-${i}`, hasEnded: false, ...work }));
    this.sent.push(...fresh);
    for (const message of [...pending, ...fresh]) this.send(client, message);
    for (let seen = 1; this.sent.some((message) => !message.hasEnded); seen++) {
      const frame = await client.next(() => true);
      this.note(frame);
      if (seen === death.afterFrames) return;
      if (death.drains && frame.type === 'stream_block') gateway.kill('SIGTERM');
    }
  }

  /** Records acknowledgements and ends. */
  private note(frame: SeenFrame): void {
    if (frame.type === 'error') expect(frame.payload['code']).toBe('DRAINING');
    const id = (frame.type === 'message_ack' || frame.type === 'stream_end') && frame.payload['id'];
    const message = this.sent.find((candidate) => candidate.id === id);
    if (!message) return;
    message.sessionId = frame.session_id as string;
    if (frame.type === 'stream_end') message.hasEnded = true;
  }

  private send(client: FrameClient, { id, sender, content }: SentMessage): void {
    client.send('message_in', { channel: 'crash', sender, content }, { id });
  }

  private async takeAcknowledgements(client: FrameClient, pending: readonly SentMessage[]): Promise<void> {
    for (const message of pending) {
      const ack = await client.next((frame) => frame.type === 'message_ack' && frame.payload['id'] === message.id);
      message.sessionId = ack.session_id as string;
    }
  }

  /** Reads the whole log of a session, until the last of its messages has ended. */
  private async readLog(port: number, sessionId: string): Promise<SeenFrame[]> {
    const client = await FrameClient.open(port);
    client.send('resume', { sessions: [{ session_id: sessionId, after_seq: 0 }] });
    const waiting = new Set(
      this.sent.filter((message) => message.sessionId === sessionId).map((message) => message.id),
    );
    const log: SeenFrame[] = [];
    while (waiting.size > 0) {
      const frame = await client.next((candidate) => candidate.seq !== undefined);
      log.push(frame);
      if (frame.type === 'stream_end') waiting.delete(frame.payload['id'] as string);
    }
    await client.close();
    expect(
      log.map((frame) => frame.seq),
      'seq is dense',
    ).toEqual(log.map((_, i) => i + 1));
    return log;
  }

  /** Asserts that a tool that is not idempotent took effect at most once for each call. */
  private checkEffects(): void {
    const path = join(this.folder, 'effects.log');
    const effects = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    expect(new Set(effects).size, 'no effect twice').toBe(effects.length);
  }
}

/** Waits for the process to die: the end of its connection may be noticed before its own. */
async function diesSoon(gateway: GatewayProcess): Promise<boolean> {
  const patience = new Promise<boolean>((resolve) => setTimeout(resolve, 15_000, false));
  return Promise.race([gateway.exited.then(() => true), patience]);
}

/** Asserts exactly one end, and the right standing blocks. */
function checkAnswer(message: SentMessage, log: readonly SeenFrame[]): void {
  const ends = log.filter((frame) => frame.type === 'stream_end' && frame.payload['id'] === message.id);
  expect(ends, `one end of ${message.id}`).toHaveLength(1);
  const blocks = standingBlocks(message.id, log);
  expect(ends[0]?.payload, message.content).toMatchObject({ reason: 'stop', blocks: blocks.length });
  const count = /^\/blocks (\d+)/.exec(message.content)?.[1];
  if (count)
    expect(blocks.map((block) => block['content'])).toEqual(
      Array.from({ length: Number(count) }, (_, i) => `block ${i + 1}`),
    );
  else if (message.content.startsWith('/tool'))
    expect(blocks.map((block) => block['block_type'])).toEqual(['tool_call', 'tool_result']);
  else expect(blocks.map((block) => block['block_type'])).toEqual(['markdown']);
  expect(blocks.map((block) => block['index'])).toEqual(blocks.map((_, i) => i));
}

function standingBlocks(id: string, log: readonly SeenFrame[]): Record<string, unknown>[] {
  let standing: SeenFrame[] = [];
  for (const frame of log.filter((candidate) => candidate.payload['message_id'] === id)) {
    if (frame.type === 'stream_block') standing.push(frame);
    if (frame.type === 'stream_restart')
      standing = standing.filter((block) => (block.seq ?? 0) < (frame.payload['replaces_from_seq'] as number));
  }
  return standing.map((frame) => frame.payload);
}
