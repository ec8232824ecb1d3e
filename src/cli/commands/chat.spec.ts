import { describe, expect, it } from 'vitest';
import { FakeChat } from '../../testing/fake-chat.js';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

async function startChat(args: readonly string[], terminal = new FakeTerminal()): Promise<FakeChat> {
  const chat = new FakeChat(terminal, args, run);
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

  it('speaks as the user of the terminal on the channel cli with the credential of an operator', async () => {
    const chat = new FakeChat(new FakeTerminal(), ['hi'], run);
    await chat.connect({ role: 'operator' });
    const message = await chat.accept();
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(message.payload).toMatchObject({ channel: 'cli', sender: 'alice' });
  });

  it.each([
    ['as the sender of the credential', [], { type: 'webchat.identity', payload: { sender: 'ada' } }, 'ada'],
    ['as --sender says', ['--sender', 'bob'], undefined, 'bob'],
    [
      'as the user of the terminal when the gateway names no sender',
      [],
      { type: 'error', payload: { code: 'FORBIDDEN', message: 'Forbidden', retryable: false } },
      'alice',
    ],
  ])("speaks on the channel webchat with a user's credential, %s", async (_, args, response, sender) => {
    const chat = new FakeChat(new FakeTerminal(), ['hi', ...args], run);
    await chat.connect({ role: 'user' });
    if (response) {
      const { id } = await chat.terminal.until(() => chat.socket.sentOf('webchat.identify')[0]);
      chat.socket.deliver({ ...response, correlation_id: id });
    }
    const message = await chat.accept();
    chat.end(message);

    expect(await chat.exitCode).toBe(0);
    expect(message.payload).toMatchObject({ channel: 'webchat', sender });
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
    const chat = new FakeChat(new FakeTerminal(), ['hi'], run);
    await chat.terminal.until(() => chat.terminal.sockets.opened.length > 0);
    chat.socket.drop();

    expect(await chat.exitCode).toBe(3);
    expect(chat.terminal.stderr.text).toContain('`openclaw start`');
  });

  it('exits with 1 when the gateway is there and refuses the connection', async () => {
    const chat = new FakeChat(new FakeTerminal(), ['hi'], run);
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
    const chat = new FakeChat(new FakeTerminal(env), ['hi'], run);
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
