import { randomUUID } from 'node:crypto';
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { GatewayClient, Reply, ReplyEvent } from '../../client/index.js';
import { AnswerPrinter } from './answer-printer.js';
import { describeEnd, watchConnection, type Speaker } from './chat-client.js';
import { EXIT } from '../faults.js';
import { painter, printable, type Terminal } from '../terminal.js';

const PROMPT = '> ';
const APPROVAL_PROMPT = 'Allow it? (y/n) ';
const LEAVE_WORDS: ReadonlySet<string> = new Set(['/exit', '/quit']);
/** Number of messages that are searched for the question of an unfinished reply. */
const HISTORY_LIMIT = 20;

type Task =
  | { readonly kind: 'line'; readonly text: string; readonly isOnScreen: boolean }
  | { readonly kind: 'found'; readonly reply: Reply }
  | { readonly kind: 'leave' };

type ToolEvent = Extract<ReplyEvent, { type: 'tool' }>;

/**
 * A conversation at a terminal, or through a pipe with one message per line. One reply is shown at a time; lines typed
 * or replies found meanwhile are queued.
 */
export class Repl {
  readonly #lines: Interface;
  readonly #paint: ReturnType<typeof painter>;
  readonly #tasks: Task[] = [];
  #wake: () => void = () => {};
  /** The reply on the screen. */
  #current: { readonly reply: Reply; readonly printer: AnswerPrinter } | undefined;
  /** The tool call of the current reply that waits for a decision. */
  #approval: ToolEvent | undefined;
  #isPrompting = false;
  #wasInterrupted = false;
  #isLeaving = false;
  #code: number = EXIT.done;

  constructor(
    private readonly client: GatewayClient,
    private readonly terminal: Terminal,
    private readonly speaker: Speaker,
  ) {
    this.#paint = painter(terminal.stderr, terminal.env);
    this.#lines = createInterface({
      input: terminal.stdin,
      output: this.#echo(),
      terminal: this.#isTerminal,
      prompt: PROMPT,
      historySize: 1_000,
    });
  }

  /**
   * Runs until the user leaves. Returns the exit code: 1 when the gateway ended the connection permanently, and without
   * a terminal also when a reply failed.
   */
  async run(greeting: string): Promise<number> {
    const stopListening = this.#listen();
    if (this.#isTerminal) this.#note(`${greeting}, as ${this.speaker.sender}. Ctrl-C stops an answer, Ctrl-D leaves.`);
    this.client.resumeAll();
    try {
      for (let task = await this.#nextTask(); task.kind !== 'leave'; task = await this.#nextTask())
        await this.#do(task);
      return this.#code;
    } finally {
      stopListening();
      this.#lines.close();
    }
  }

  get #isTerminal(): boolean {
    return this.terminal.stdin.isTTY === true && this.terminal.stdout.isTTY === true;
  }

  /** Echoes only while prompting: text typed during a reply appears with the next prompt. */
  #echo(): NodeJS.WritableStream {
    const { stdout } = this.terminal;
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#isPrompting) stdout.write(chunk.toString());
        done();
      },
    });
    // Readline needs the width of a line, and resize events.
    Object.defineProperty(echo, 'columns', { get: () => ('columns' in stdout ? stdout.columns : undefined) });
    if ('on' in stdout) stdout.on('resize', () => echo.emit('resize'));
    return echo;
  }

  #listen(): () => void {
    const prefix = this.#messagePrefix;
    this.#lines.on('line', (text) => {
      if (this.#approval) this.#decide(this.#approval, text.trim());
      else this.#add({ kind: 'line', text, isOnScreen: this.#isPrompting });
    });
    this.#lines.on('close', () => {
      // Lines before the end of the input are still sent.
      if (this.#isPrompting && this.#tasks.length === 0) this.#leave(this.#code);
      else this.#add({ kind: 'leave' });
    });
    this.#lines.on('SIGINT', () => this.#interrupt());
    watchConnection(this.client, (note) => this.#note(note));
    this.client.on('error', (error) => this.#note(`✗ ${error.message} (${error.code})`));
    this.client.on('reply', (reply) => {
      if (reply.id.startsWith(prefix)) this.#add({ kind: 'found', reply });
    });
    this.client.on('state', (state) => {
      if (state.name !== 'ended' || state.error.code === 1000) return;
      this.#leave(EXIT.failed, describeEnd(state.error));
    });
    return this.terminal.onInterrupt(() => this.#interrupt());
  }

  /** Distinguishes this client's messages from those of other clients in the session, also in later runs. */
  get #messagePrefix(): string {
    return `${this.client.clientId}.`;
  }

  async #nextTask(): Promise<Task> {
    const waiting = this.#tasks.shift();
    if (waiting) return waiting;
    this.#isPrompting = true;
    // Keeps the cursor: text may have been typed ahead.
    if (this.#isTerminal) this.#lines.prompt(true);
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isPrompting = false;
    return this.#tasks.shift() ?? { kind: 'leave' };
  }

  #add(task: Task): void {
    this.#tasks.push(task);
    this.#wake();
  }

  async #do(task: Exclude<Task, { kind: 'leave' }>): Promise<void> {
    this.#wasInterrupted = false;
    if (task.kind === 'found') {
      this.#clearPrompt();
      this.#note(`↻ the answer to ${await this.#findQuestion(task.reply)} continues`);
      return this.#show(task.reply);
    }
    const text = task.text.trim();
    if (LEAVE_WORDS.has(text)) return this.#leave(EXIT.done);
    if (text === '') return;
    if (this.#isTerminal && !task.isOnScreen) this.terminal.stdout.write(`${PROMPT}${text}\n`);
    const message = { ...this.speaker, content: text };
    return this.#show(this.client.send(message, { id: `${this.#messagePrefix}${randomUUID()}` }));
  }

  async #show(reply: Reply): Promise<void> {
    const printer = new AnswerPrinter(this.terminal);
    this.#current = { reply, printer };
    try {
      for await (const event of reply) {
        this.#stopAsking();
        printer.take(event);
        if (event.type === 'tool' && event.approval) this.#ask(event);
      }
      if ((await reply.ended)?.reason === 'error') this.#noteFailure();
    } catch (error) {
      if (this.#isLeaving) return;
      printer.note(`✗ ${(error as Error).message}`);
      this.#noteFailure();
    } finally {
      this.#stopAsking();
      this.#current = undefined;
      this.#wasInterrupted = false;
      if (this.#isTerminal) this.terminal.stdout.write('\n');
    }
  }

  #ask(event: ToolEvent): void {
    const tool = event.agent === undefined ? event.tool : `${event.tool} of ${event.agent}`;
    const detail = event.detail === undefined ? '' : `: ${event.detail}`;
    this.#note(`${tool} is to run with ${JSON.stringify(event.approval?.arguments)}${detail}`);
    if (!this.#isTerminal) return;
    this.#approval = event;
    this.#isPrompting = true;
    this.#lines.setPrompt(APPROVAL_PROMPT);
    this.#lines.prompt(true);
  }

  #decide({ approval }: ToolEvent, answer: string): void {
    const decision = /^y(es)?$/i.test(answer) ? 'allow' : /^no?$/i.test(answer) ? 'deny' : undefined;
    if (!approval || !decision) return this.#lines.prompt();
    const { approval_id, arguments_sha256 } = approval;
    this.client.decide({ approval_id, arguments_sha256, decision });
  }

  /** Ends the approval prompt: the call was decided, here or by another client, or its approval expired. */
  #stopAsking(): void {
    if (!this.#approval) return;
    this.#approval = undefined;
    this.#clearPrompt();
    this.#isPrompting = false;
    this.#lines.setPrompt(PROMPT);
  }

  /** Sets the exit code for scripts; at a terminal the user has seen the failure. */
  #noteFailure(): void {
    if (!this.#isTerminal) this.#code = EXIT.failed;
  }

  /** Stops the reply or clears the line; when called a second time, leaves. */
  #interrupt(): void {
    if (this.#wasInterrupted) return this.#leave(this.#code);
    this.#wasInterrupted = true;
    if (this.#current) {
      this.#stopAsking();
      this.#note('stopping the answer… (Ctrl-C again leaves)');
      this.#current.reply.cancel();
    } else {
      this.#lines.write(null, { ctrl: true, name: 'u' });
      this.#note('(Ctrl-C again or Ctrl-D leaves)');
    }
  }

  #leave(code: number, lastWords?: string): void {
    if (this.#isPrompting && this.#isTerminal) {
      if (lastWords === undefined) this.terminal.stdout.write('\n');
      else this.#clearPrompt();
    }
    this.#isPrompting = false;
    if (lastWords !== undefined) this.#note(lastWords);
    this.#code = code;
    this.#isLeaving = true;
    this.#tasks.length = 0;
    this.client.close();
    this.#add({ kind: 'leave' });
  }

  async #findQuestion(reply: Reply): Promise<string> {
    try {
      const { session_id, message_ref } = await reply.acknowledged;
      const { messages } = await this.client.history(session_id, { limit: HISTORY_LIMIT });
      const question = messages.find((message) => message.message_ref === message_ref);
      return question ? `“${question.content.split('\n', 1)[0]}”` : 'an earlier message';
    } catch {
      return 'an earlier message';
    }
  }

  /** Prints a line that is not part of a reply; a prompt on the screen moves below it. */
  #note(text: string): void {
    const isPrompting = this.#isPrompting && this.#isTerminal;
    if (isPrompting) this.#clearPrompt();
    if (this.#current) this.#current.printer.note(text);
    else this.terminal.stderr.write(`${this.#paint('dim', printable(text, this.terminal.stderr))}\n`);
    if (isPrompting) this.#lines.prompt(true);
  }

  #clearPrompt(): void {
    if (!this.#isTerminal) return;
    cursorTo(this.terminal.stdout, 0);
    clearLine(this.terminal.stdout, 0);
  }
}
