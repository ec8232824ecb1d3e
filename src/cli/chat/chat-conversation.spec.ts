import { describe, expect, it } from 'vitest';
import { FakeChat } from '../../testing/fake-chat.js';
import { FakeTerminal } from '../../testing/fake-terminal.js';
import { run } from '../cli.js';

async function startChat(args: readonly string[], terminal = new FakeTerminal()): Promise<FakeChat> {
  const chat = new FakeChat(terminal, args, run);
  await chat.connect();
  return chat;
}

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
    chat.block({ id: 'bob' }, 0, 'not for us');
    chat.end({ id: 'bob' });
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
