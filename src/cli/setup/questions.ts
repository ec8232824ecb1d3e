import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { printable, type Terminal } from '../terminal.js';

/** One of the answers that a person can choose. */
export interface Option<T> {
  readonly label: string;
  readonly value: T;
}

/** Maximum number of options that are printed at once. */
const MAX_SHOWN = 20;

/** Asks a person at a terminal, or reads the answers from a pipe, one per line. */
export class Questions {
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;
  #isSecret = false;

  constructor(private readonly terminal: Terminal) {
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#isSecret) terminal.stderr.write(chunk.toString());
        done();
      },
    });
    this.#lines = createInterface({
      input: terminal.stdin,
      output: echo,
      terminal: terminal.stdin.isTTY === true,
      prompt: '',
    });
    this.#lines.on('SIGINT', () => this.#lines.close());
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  close(): void {
    this.#lines.close();
  }

  say(text: string): void {
    this.terminal.stderr.write(`${printable(text, this.terminal.stderr)}\n`);
  }

  /** Returns a line; `fallback` for an empty one. @throws Error at the end of the input, or at Ctrl-C */
  async ask(question: string, fallback = ''): Promise<string> {
    this.terminal.stderr.write(`${question}${fallback === '' ? '' : ` [${fallback}]`} `);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('The setup ended before it was complete; nothing was written');
    return value.trim() || fallback;
  }

  /** Returns a line that is not echoed. */
  async askSecret(question: string): Promise<string> {
    this.#isSecret = true;
    try {
      return await this.ask(question);
    } finally {
      this.#isSecret = false;
      this.terminal.stderr.write('\n');
    }
  }

  async confirm(question: string, fallback: boolean): Promise<boolean> {
    for (;;) {
      const answer = (await this.ask(question, fallback ? 'Y/n' : 'y/N')).toLowerCase();
      if (answer === 'y/n') return fallback;
      if (/^(y|yes|n|no)$/.test(answer)) return answer.startsWith('y');
    }
  }

  /**
   * Returns the value of the chosen option. A person gives its number, its label, or a part of labels, which shortens the
   * list.
   */
  async choose<T>(question: string, options: readonly Option<T>[]): Promise<T> {
    let shown = options;
    for (;;) {
      shown.slice(0, MAX_SHOWN).forEach(({ label }, i) => this.say(`  ${i + 1}  ${label}`));
      if (shown.length > MAX_SHOWN) this.say(`  and ${shown.length - MAX_SHOWN} more: type a part of the name`);
      const answer = await this.ask(question, '1');
      const byNumber = /^\d+$/.test(answer) ? shown[Number(answer) - 1] : undefined;
      const found = byNumber ?? options.find(({ label }) => label === answer);
      if (found) return found.value;
      const matching = options.filter(({ label }) => label.toLowerCase().includes(answer.toLowerCase()));
      if (matching.length === 0) this.say(`There is none with "${answer}".`);
      shown = matching.length === 0 ? options : matching;
    }
  }
}
