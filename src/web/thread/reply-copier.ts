import type { ReactiveControllerHost } from 'lit';
import type { ReplyState, StreamBlock, TranscriptMessage } from '../../client/index.js';
import { describeBlock } from '../blocks/blocks.js';
import { readText } from '../blocks/fold.js';
import { copyText } from '../design/clipboard.js';

const CONFIRM_FOR_MS = 2_000;

/** Copies replies as text, and confirms it for a moment. */
export class ReplyCopier {
  #copied: TranscriptMessage['key'] | undefined;

  /** `onFailure` is called when the browser does not let the page copy. */
  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly onFailure: () => void,
  ) {}

  /** Returns true when the reply was copied a moment ago. */
  hasCopied({ key }: TranscriptMessage): boolean {
    return this.#copied === key;
  }

  async copy(message: TranscriptMessage): Promise<void> {
    if (!(await copyText(writeReply(message.reply)))) return this.onFailure();
    this.#show(message.key);
    setTimeout(() => this.#show(undefined), CONFIRM_FOR_MS);
  }

  #show(copied: TranscriptMessage['key'] | undefined): void {
    this.#copied = copied;
    this.host.requestUpdate();
  }
}

/** Returns a reply as it was written, in Markdown, without its tool calls. */
export function writeReply({ standing }: Pick<ReplyState, 'standing'>): string {
  return standing
    .filter(({ block: { block_type } }) => block_type !== 'tool_call' && block_type !== 'tool_result')
    .map(({ block }) => (block.block_type === 'code' ? fence(block) : describeBlock(block)))
    .join('\n\n');
}

/** Puts the fences around code that the gateway took off. They are longer than any row of backticks in the code. */
function fence({ content, metadata }: StreamBlock): string {
  const rows = content.match(/`+/g) ?? [];
  const fences = '`'.repeat(Math.max(3, ...rows.map(({ length }) => length + 1)));
  return `${fences}${readText(metadata?.['language']) ?? ''}\n${content.replace(/\n$/, '')}\n${fences}`;
}
