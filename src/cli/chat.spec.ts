import { describe, expect, it } from 'vitest';
import type { FakeSocket, SentFrame } from '../testing/fake-socket.js';
import { FakeTerminal } from '../testing/fake-terminal.js';
import { run } from './cli.js';

const CONNECTED = { server: { version: '1.2.3', epoch: 'e1' }, heartbeat_interval_ms: 30_000 };

/** The gateway's side of a chat: it waits for the frames of the command and answers them. */
class Chat {
  readonly exitCode: Promise<number>;
  #seq = 0;

  constructor(
    readonly terminal: FakeTerminal,
    args: readonly string[],
  ) {
    this.exitCode = run(['chat', ...args], terminal);
  }

  get socket(): FakeSocket {
    return this.terminal.sockets.last;
  }

  /** Accepts the next connection. */
  async connect(changes: object = {}): Promise<void> {
    const before = this.terminal.sockets.opened.filter((socket) => socket.sent.length > 0).length;
    await this.terminal.until(() => this.terminal.sockets.opened.length > before);
    this.socket.deliverConnected({ ...CONNECTED, ...changes });
  }

  /** Waits for the nth message of the connection and accepts it. */
  async accept(nth = 1): Promise<SentFrame> {
    const message = await this.terminal.until(() => this.socket.sentOf('message_in')[nth - 1]);
    const payload = {
      id: message.id,
      message_ref: `m-${message.id}`,
      status: 'queued',
      mode: 'main',
      priority: 1,
      position: 0,
    };
    this.socket.deliver({ type: 'message_ack', session_id: 's1', correlation_id: message.id, payload });
    return message;
  }

  delta({ id }: { readonly id: string }, blockId: string, text: string): void {
    const payload = { message_id: id, message_ref: `m-${id}`, block_id: blockId, block_type: 'text', delta: text };
    this.socket.deliver({ type: 'stream_delta', session_id: 's1', payload });
  }

  block(message: { readonly id: string }, index: number, content: string, changes: object = {}): void {
    const payload = { block_id: `b${this.#seq}`, block_type: 'text', content, index, attempt: 1, ...changes };
    this.#durable('stream_block', message, payload);
  }

  tool(message: { readonly id: string }, status: string, changes: object = {}): void {
    this.#durable('tool_status', message, { call_id: 'c1', tool: 'time.now', status, ...changes });
  }

  restart(message: { readonly id: string }, replacesFromSeq: number): void {
    this.#durable('stream_restart', message, { attempt: 2, replaces_from_seq: replacesFromSeq });
  }

  end(message: { readonly id: string }, changes: object = {}): void {
    this.#durable('stream_end', message, { id: message.id, reason: 'stop', blocks: 100, ...changes });
  }

  #durable(type: string, { id }: { readonly id: string }, payload: object): void {
    this.#seq++;
    const names = { message_id: id, message_ref: `m-${id}` };
    this.socket.deliver({
      type,
      session_id: 's1',
      seq: this.#seq,
      correlation_id: id,
      payload: { ...names, ...payload },
    });
  }
}

async function startChat(args: readonly string[], terminal = new FakeTerminal()): Promise<Chat> {
  const chat = new Chat(terminal, args);
  await chat.connect();
  return chat;
}

describe('openclaw chat TEXT', () => {
  it('sends one message, streams the answer to standard output and exits with 0', async () => {
    const chat = await startChat(['what', 'time?', '--sender', 'ada', '--channel', 'shell']);
    const message = await chat.accept();
    expect(message.payload).toEqual({ channel: 'shell', sender: 'ada', content: 'what time?' });

    chat.delta(message, 'b0', 'It is ');
    await chat.terminal.until(() => chat.terminal.stdout.text === 'It is ');
    chat.block(message, 0, 'It is noon.', { block_id: 'b0' });
    chat.block(message, 1, 'x = 1', { block_type: 'code', metadata: { language: 'py' } });
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stdout.text).toBe('It is noon.\n\n```py\nx = 1\n```\n');
    expect(chat.terminal.stderr.text).toBe('');
    expect(chat.socket.isClosed).toBe(true);
  });

  it.each([
    ['operator', 'cli'],
    ['user', 'webchat'],
  ])('speaks on the channel that a credential of role %s allows: %s', async (role, channel) => {
    const chat = new Chat(new FakeTerminal(), ['hi']);
    await chat.connect({ role });
    const message = await chat.accept();
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(message.payload).toMatchObject({ channel, sender: 'alice' });
  });

  it('reports tool calls on standard error', async () => {
    const chat = await startChat(['hi']);
    const message = await chat.accept();
    chat.block(message, 0, JSON.stringify({ call_id: 'c1', tool: 'time.now', parameters: { zone: 'UTC' } }), {
      block_type: 'tool_call',
    });
    chat.tool(message, 'requested');
    chat.tool(message, 'running');
    chat.tool(message, 'failed', { detail: 'no clock' });
    chat.block(message, 1, JSON.stringify({ call_id: 'c1', ok: false, content: 'no clock' }), {
      block_type: 'tool_result',
    });
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stdout.text).toBe('');
    expect(chat.terminal.stderr.text).toBe(
      '→ time.now {"zone":"UTC"}\n⚙ time.now: running\n✗ time.now: failed (no clock)\n← no clock\n',
    );
  });

  it('exits with 1 when the answer ends with an error', async () => {
    const chat = await startChat(['/fail']);
    chat.end(await chat.accept(), {
      reason: 'error',
      error: { code: 'AGENT_FAILED', message: 'It failed', retryable: false },
    });

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toBe('✗ It failed (AGENT_FAILED)\n');
  });

  it('exits with 1 when the message is refused', async () => {
    const chat = await startChat(['hi']);
    const { id } = await chat.terminal.until(() => chat.socket.sentOf('message_in')[0]);
    const payload = { code: 'FORBIDDEN', message: 'Forbidden: not this sender', retryable: false };
    chat.socket.deliver({ type: 'error', correlation_id: id, payload });

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toBe('openclaw: Forbidden: not this sender\n');
  });

  it('prints the whole answer as JSON', async () => {
    const chat = await startChat(['hi', '--json']);
    const message = await chat.accept();
    chat.block(message, 0, 'hello', { block_id: 'b0' });
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(JSON.parse(chat.terminal.stdout.text)).toMatchObject({
      session_id: 's1',
      message_ref: `m-${message.id}`,
      blocks: [{ block_id: 'b0', block_type: 'text', content: 'hello' }],
      end: { reason: 'stop' },
    });
  });

  it('cancels at Ctrl-C and exits with 1', async () => {
    const chat = await startChat(['hi']);
    const message = await chat.accept();
    chat.terminal.interrupt();
    expect(chat.socket.sentOf('cancel')[0]?.payload).toEqual({ message_ref: `m-${message.id}` });
    chat.end(message, { reason: 'cancelled' });

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toBe('(cancelled)\n');
  });

  it('exits with 3 when no gateway answers', async () => {
    const chat = new Chat(new FakeTerminal(), ['hi']);
    await chat.terminal.until(() => chat.terminal.sockets.opened.length > 0);
    chat.socket.drop();

    expect(await chat.exitCode).toBe(3);
    expect(chat.terminal.stderr.text).toContain('`openclaw start`');
  });

  it('exits with 1 when the gateway is there and refuses the connection', async () => {
    const chat = new Chat(new FakeTerminal(), ['hi']);
    chat.terminal.answer = () => Response.json({});
    await chat.terminal.until(() => chat.terminal.sockets.opened.length > 0);
    chat.socket.drop();

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toContain('refused the connection');
  });

  it.each([
    [{}, 'The gateway requires a credential: set OPENCLAW_TOKEN'],
    [{ OPENCLAW_TOKEN: 'a-token-of-sixteen' }, 'The gateway does not accept the token in OPENCLAW_TOKEN'],
  ])('says how to fix the credential with %j', async (env, words) => {
    const chat = new Chat(new FakeTerminal(env), ['hi']);
    await chat.terminal.until(() => chat.terminal.sockets.opened.length > 0);
    chat.socket.drop(4001, 'Unauthorized');

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toBe(`openclaw: ${words}\n`);
  });

  it('exits with 2 for a token that cannot be one', async () => {
    const terminal = new FakeTerminal({ OPENCLAW_TOKEN: 'too short' });

    expect(await run(['chat', 'hi'], terminal)).toBe(2);
    expect(terminal.stderr.text).not.toContain('too short');
  });

  it('shows a resumed answer once, and marks where it differs', async () => {
    const chat = await startChat(['hi']);
    const message = await chat.accept();
    chat.block(message, 0, 'one');
    chat.block(message, 1, 'two');
    await chat.terminal.until(() => chat.terminal.stdout.text === 'one\n\ntwo');
    chat.restart(message, 1);
    chat.block(message, 0, 'one', { block_id: 'again' });
    chat.block(message, 1, 'three');
    chat.end(message, { blocks: 2 });

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stderr.text).toBe('↻ answer restarted\n');
    expect(chat.terminal.stdout.text).toBe('one\n\ntwo\n\nthree\n');
  });
});

describe('openclaw chat', () => {
  const atTerminal = (env = { NO_COLOR: '1' }) => new FakeTerminal(env, true);

  it('answers each line of a pipe, in order, and exits with 1 if one failed', async () => {
    const chat = await startChat([]);
    chat.terminal.stdin.end('first\n\nsecond\n');
    const first = await chat.accept(1);
    expect(chat.socket.sentOf('message_in')).toHaveLength(1);
    chat.block(first, 0, 'one');
    chat.end(first);
    const second = await chat.accept(2);
    chat.end(second, { reason: 'error', error: { code: 'AGENT_FAILED', message: 'It failed', retryable: false } });

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stdout.text).toBe('one\n');
  });

  it('prints a greeting, prompts, and exits at Ctrl-D', async () => {
    const chat = await startChat([], atTerminal());
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('> '));
    chat.terminal.type('\u0004');

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stderr.text).toBe(
      'openclaw 1.2.3 at http://127.0.0.1:18789, as alice. Ctrl-C stops an answer, Ctrl-D leaves.\n',
    );
  });

  it('keeps text typed during an answer for the next prompt', async () => {
    const chat = await startChat([], atTerminal());
    chat.terminal.type('question\r');
    const message = await chat.accept();
    chat.terminal.type('next');
    chat.block(message, 0, 'answer');
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('answer'));
    expect(chat.terminal.stdout.text).not.toContain('next');

    chat.end(message);
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('> next'));
    chat.terminal.type('\r');
    expect((await chat.accept(2)).payload).toMatchObject({ content: 'next' });
    chat.socket.drop(4001);
    expect(await chat.exitCode).toBe(1);
  });

  it('stops the answer at the first Ctrl-C and exits at the second', async () => {
    const chat = await startChat([], atTerminal());
    chat.terminal.type('question\r');
    await chat.accept();
    chat.terminal.type('\u0003');
    await chat.terminal.until(() => chat.socket.sentOf('cancel')[0]);
    chat.terminal.type('\u0003');

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stderr.text).toContain('stopping the answer');
  });

  it.each([
    ['yes', 'allow'],
    ['n', 'deny'],
  ])('asks whether a tool may run, and %s means %s', async (answer, decision) => {
    const chat = await startChat([], atTerminal());
    chat.terminal.type('question\r');
    const message = await chat.accept();
    const approval = { approval_id: 'a1', arguments: { path: '/' }, arguments_sha256: 'f'.repeat(64), expires_at: 1 };
    chat.tool(message, 'awaiting_approval', { approval });
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('Allow it? (y/n) '));
    expect(chat.terminal.stderr.text).toContain('time.now is to run with {"path":"/"}');

    chat.terminal.type(`perhaps\r${answer}\r`);
    const frame = await chat.terminal.until(() => chat.socket.sentOf('approval')[0]);
    expect(frame.payload).toEqual({ approval_id: 'a1', decision, arguments_sha256: 'f'.repeat(64) });
    expect(chat.socket.sentOf('approval')).toHaveLength(1);
    chat.end(message);
    chat.terminal.type('\u0004');
    expect(await chat.exitCode).toBe(0);
  });

  it('survives a lost connection in the middle of an answer', async () => {
    const chat = await startChat([], atTerminal());
    chat.terminal.type('question\r');
    const message = await chat.accept();
    chat.block(message, 0, 'one');
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('one'));
    chat.socket.drop();
    await chat.connect();
    const resumed = { session_id: 's1', from_seq: 2, head_seq: 1, complete: true };
    chat.socket.deliver({ type: 'resumed', session_id: 's1', payload: resumed });
    chat.block(message, 1, 'two');
    chat.end(message);
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('two'));
    chat.terminal.type('\u0004');

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stderr.text).toContain('connection lost, waiting…\nconnected again\n');
    expect(chat.socket.sentOf('resume').at(-1)?.payload).toEqual({
      sessions: [{ session_id: 's1', after_seq: 1, epoch: 'e1' }],
    });
  });

  it('shows the unfinished answer of its last run, and none of other clients', async () => {
    const chat = await startChat(['--client-id', 'desk'], atTerminal());
    const resume = await chat.terminal.until(() => chat.socket.sentOf('resume')[0]);
    expect(resume.payload).toEqual({ sessions: [] });
    const resumed = { session_id: 's1', from_seq: 1, head_seq: 4, complete: true };
    chat.socket.deliver({ type: 'resumed', session_id: 's1', correlation_id: resume.id, payload: resumed });
    chat.block({ id: 'somebody.else' }, 0, 'not for us');
    chat.end({ id: 'somebody.else' });
    chat.block({ id: 'desk.1' }, 0, 'the answer');
    chat.end({ id: 'desk.1' });
    const question = await chat.terminal.until(() => chat.socket.sentOf('history')[0]);
    const messages = [{ message_ref: 'm-desk.1', content: 'what was asked\nlast time' }];
    chat.socket.deliver({
      type: 'history',
      session_id: 's1',
      correlation_id: question.id,
      payload: { messages, head_seq: 4 },
    });
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('the answer'));
    chat.terminal.type('\u0004');

    expect(await chat.exitCode).toBe(0);
    expect(chat.terminal.stderr.text).toContain('↻ the answer to “what was asked” continues\n');
    expect(chat.terminal.stdout.text).not.toContain('not for us');
  });

  it('uses the same client id in each run, and another for another sender', async () => {
    const urls: string[] = [];
    for (const sender of ['ada', 'ada', 'bob']) {
      const chat = await startChat(['--sender', sender]);
      urls.push(chat.socket.url);
      chat.terminal.stdin.end();
      await chat.exitCode;
    }

    expect(urls[0]).toMatch(/client_id=chat-[0-9a-f]{16}&/);
    expect(urls[1]).toBe(urls[0]);
    expect(urls[2]).not.toBe(urls[0]);
  });

  it('exits for a newer chat of the same name', async () => {
    const chat = await startChat([], atTerminal());
    await chat.terminal.until(() => chat.terminal.stdout.text.includes('> '));
    chat.socket.drop(4010, 'Replaced');

    expect(await chat.exitCode).toBe(1);
    expect(chat.terminal.stderr.text).toContain('--client-id');
  });

  it('has colours at a terminal, and none with NO_COLOR', async () => {
    for (const [env, isColoured] of [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
    ] as const) {
      const chat = await startChat([], new FakeTerminal(env, true));
      await chat.terminal.until(() => chat.terminal.stderr.text.includes('1.2.3'));
      chat.terminal.type('\u0004');
      await chat.exitCode;

      expect(chat.terminal.stderr.text.includes('\u001b[2m')).toBe(isColoured);
    }
  });
});
