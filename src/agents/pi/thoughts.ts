const TAGS = ['think', 'thinking', 'thought', 'reasoning'];
const OPEN = /^\s*<(think|thinking|thought|reasoning)>/i;
const CLOSE = /<\/(?:think|thinking|thought|reasoning)>\s*/i;
/** An end without a beginning, on a line of its own: some chat templates put the beginning into the question. */
const LONE_CLOSE = /^[ \t]*<\/(?:think|thinking)>[ \t]*$/im;
const FENCE = /^ {0,3}(?:`{3}|~{3})/gm;

/** The visible part of a portion of text. */
export interface Visible {
  readonly text: string;
  /** True if all text so far was thought and must be taken back. */
  readonly takesBack: boolean;
}

/**
 * Leaves out the thoughts that a model writes into its text: `<think>...</think>` at its beginning, and what stands before
 * a lone `</think>`. Tags elsewhere, as in a text about them, stay. Text arrives in any portions.
 */
export class ThoughtFilter {
  private state: 'start' | 'thought' | 'text' = 'start';
  private held = '';
  private isAfterThought = false;
  /** The text that was passed, and whether its last line is blank so far. */
  private passed = '';
  private isLineBlank = true;

  push(portion: string): Visible {
    this.held += portion;
    let takesBack = false;
    for (;;) {
      if (this.state === 'start') {
        if (this.isAfterThought) this.held = this.held.trimStart();
        if (mayBecomeTag(this.held)) break;
        const open = OPEN.exec(this.held);
        this.held = this.held.slice(open?.[0].length ?? 0);
        this.state = open ? 'thought' : 'text';
      }
      if (this.state === 'thought') {
        const close = CLOSE.exec(this.held);
        if (!close) break;
        this.restart(this.held.slice(close.index + close[0].length));
        continue;
      }
      const lone = this.findLoneEnd();
      if (lone === undefined) break;
      takesBack = true;
      this.restart(lone);
    }
    return { text: this.state === 'text' ? this.pass() : '', takesBack };
  }

  /** Returns what was held back. */
  end(): string {
    const rest = this.state === 'thought' ? '' : this.held;
    this.held = '';
    return rest;
  }

  private restart(rest: string): void {
    this.held = rest;
    this.state = 'start';
    this.isAfterThought = true;
    this.passed = '';
    this.isLineBlank = true;
  }

  /** Returns what follows a lone end of a thought that has come completely. */
  private findLoneEnd(): string | undefined {
    if (!CLOSE.test(this.held)) return undefined;
    const all = this.passed + this.held;
    const match = LONE_CLOSE.exec(all);
    if (!match || all.length === match.index + match[0].length) return undefined;
    const before = all.slice(0, match.index);
    if ((before.match(FENCE)?.length ?? 0) % 2 === 1) return undefined;
    return all.slice(match.index + match[0].length);
  }

  /** Passes what is held, but for a last line that may become a lone end. */
  private pass(): string {
    const line = this.held.slice(this.held.lastIndexOf('\n') + 1);
    const isWhole = this.isLineBlank || line.length < this.held.length;
    const text = isWhole && mayBecomeEnd(line) ? this.held.slice(0, this.held.length - line.length) : this.held;
    this.held = this.held.slice(text.length);
    this.passed += text;
    const last = text.slice(text.lastIndexOf('\n') + 1);
    this.isLineBlank = last.trim() === '' && (this.isLineBlank || last.length < text.length);
    return text;
  }
}

export function withoutThoughts(text: string): string {
  const filter = new ThoughtFilter();
  return filter.push(text).text + filter.end();
}

function mayBecomeTag(text: string): boolean {
  const start = text.trimStart().toLowerCase();
  return TAGS.some((tag) => `<${tag}>` !== start && `<${tag}>`.startsWith(start));
}

function mayBecomeEnd(line: string): boolean {
  const start = line.trim().toLowerCase();
  return start !== '' && ['</think>', '</thinking>'].some((tag) => tag.startsWith(start));
}
