import type { ReplyEvent, StreamBlock } from '../../client/index.js';
import { painter, printable, type Terminal } from '../terminal.js';

/** Maximum length of a tool result on the screen, in characters. */
const MAX_RESULT_LENGTH = 300;
const BETWEEN_BLOCKS = '\n\n';

type DeltaEvent = Extract<ReplyEvent, { type: 'delta' }>;
type ToolEvent = Extract<ReplyEvent, { type: 'tool' }>;
type EndEvent = Extract<ReplyEvent, { type: 'end' }>;

/**
 * Prints one reply as it arrives: its text to standard output, everything else to standard error.
 *
 * Printed text cannot be removed. After a restart the new blocks are compared with the printed text: equal text is not
 * repeated, and the reply is printed again from the first difference on.
 */
export class AnswerPrinter {
  /** The printed text of each block. */
  readonly #shown: string[] = [];
  /** The index of the next block, and its deltas so far. */
  #next = 0;
  #growing = '';
  /** True while standard output ends with text without a line break. */
  #isLineOpen = false;
  readonly #paint: ReturnType<typeof painter>;

  constructor(private readonly terminal: Pick<Terminal, 'stdout' | 'stderr' | 'env'>) {
    this.#paint = painter(terminal.stderr, terminal.env);
  }

  take(event: ReplyEvent): void {
    switch (event.type) {
      case 'delta':
        return this.#takeDelta(event);
      case 'block':
        return this.#takeBlock(event.index, event.block);
      case 'restart':
        this.#next = event.keep;
        this.#growing = '';
        return;
      case 'tool':
        return this.#takeToolStatus(event);
      case 'end':
        return this.#takeEnd(event);
    }
  }

  /** Prints a line that is not part of the reply. */
  note(text: string): void {
    this.#writeNote('dim', text);
  }

  #takeDelta({ block_type, delta }: DeltaEvent): void {
    // Other blocks are rendered, which requires the complete block.
    if (!isPlainText(block_type)) return;
    this.#growing += delta;
    this.#show(this.#next, this.#growing, false);
  }

  #takeBlock(index: number, block: StreamBlock): void {
    this.#next = index + 1;
    this.#growing = '';
    const note = describeToolBlock(block);
    if (note === undefined) this.#show(index, render(block), true);
    else if (this.#shown[index] !== note) {
      this.#startOver(index);
      this.#shown[index] = note;
      this.note(note);
    }
  }

  #takeToolStatus({ tool, status, detail, duration_ms }: ToolEvent): void {
    const more = [detail, duration_ms === undefined ? undefined : `${duration_ms} ms`].filter(
      (part) => part !== undefined,
    );
    const text = `${tool}: ${status.replaceAll('_', ' ')}${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
    if (status === 'succeeded') this.note(`✓ ${text}`);
    else if (['failed', 'denied', 'timed_out', 'unknown'].includes(status)) this.#writeNote('red', `✗ ${text}`);
    else if (status !== 'requested') this.note(`⚙ ${text}`);
  }

  #takeEnd({ reason, error, blocks }: EndEvent): void {
    if (this.#shown.length > blocks) this.note('↻ the last part of the answer was withdrawn');
    if (this.#isLineOpen) this.#write('\n');
    this.#isLineOpen = false;
    if (error) this.#writeNote('red', `✗ ${error.message} (${error.code})`);
    else if (reason === 'cancelled') this.note('(cancelled)');
    else if (reason === 'merged') this.note('(answered together with another message)');
  }

  /** Prints the part of `text`, the block so far, that was not printed yet. */
  #show(index: number, text: string, isWhole: boolean): void {
    const shown = this.#shown[index] ?? '';
    const isLast = index >= this.#shown.length - 1;
    if (text.startsWith(shown) && (isLast || text === shown)) {
      if (shown === '' && text !== '' && this.#isLineOpen) this.#write(BETWEEN_BLOCKS);
      if (text !== shown) this.#write(text.slice(shown.length));
    } else if (isWhole || !shown.startsWith(text)) {
      this.#startOver(index);
      this.#write(this.#isLineOpen ? BETWEEN_BLOCKS + text : text);
    } else {
      return;
    }
    this.#shown[index] = text;
  }

  /** Records that block `index` differs from what was printed in its place. */
  #startOver(index: number): void {
    if (index >= this.#shown.length) return;
    this.note('↻ answer restarted');
    this.#shown.length = index;
  }

  #write(text: string): void {
    this.terminal.stdout.write(printable(text, this.terminal.stdout));
    this.#isLineOpen = !text.endsWith('\n');
  }

  #writeNote(style: 'dim' | 'red', text: string): void {
    if (this.terminal.stdout.isTTY && this.#isLineOpen) {
      this.#write('\n');
      // A block split by this line is printed again in full.
      if (this.#growing !== '') this.#shown[this.#next] = '';
    }
    this.terminal.stderr.write(`${this.#paint(style, printable(text, this.terminal.stderr))}\n`);
  }
}

function isPlainText(type: StreamBlock['block_type']): boolean {
  return type === 'text' || type === 'markdown' || type === 'status';
}

function render({ block_type, content, metadata }: StreamBlock): string {
  switch (block_type) {
    case 'code':
      return `\`\`\`${textOf(metadata?.['language'])}\n${content}\n\`\`\``;
    case 'image':
    case 'audio': {
      const source = content.startsWith('data:') ? `${content.slice(0, content.indexOf(',') + 1)}…` : content;
      return `[${block_type}: ${textOf(metadata?.['alt']) || 'no description'}] ${source}`;
    }
    case 'canvas':
      return `[canvas] ${textOf(metadata?.['alt']) || content.slice(0, MAX_RESULT_LENGTH)}`;
    default:
      return content;
  }
}

/** Describes a tool call or result; returns undefined for other blocks, which are the reply itself. */
function describeToolBlock({ block_type, content }: StreamBlock): string | undefined {
  if (block_type !== 'tool_call' && block_type !== 'tool_result') return undefined;
  const call = JSON.parse(content) as { tool?: string; parameters?: unknown; ok?: boolean; content?: unknown };
  if (block_type === 'tool_call') return `→ ${call.tool ?? ''} ${JSON.stringify(call.parameters ?? {})}`;
  const result = typeof call.content === 'string' ? call.content : (JSON.stringify(call.content) ?? '');
  return `← ${result.length > MAX_RESULT_LENGTH ? `${result.slice(0, MAX_RESULT_LENGTH)}…` : result}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
