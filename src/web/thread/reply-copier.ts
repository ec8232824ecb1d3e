import type { ReactiveControllerHost } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { describeBlock } from '../blocks/blocks.js';
import { copyText } from '../controls/clipboard.js';

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
    if (!(await copyText(describeReply(message)))) return this.onFailure();
    this.#show(message.key);
    setTimeout(() => this.#show(undefined), CONFIRM_FOR_MS);
  }

  #show(copied: TranscriptMessage['key'] | undefined): void {
    this.#copied = copied;
    this.host.requestUpdate();
  }
}

/** Returns the text of a reply, without its tool calls. */
function describeReply({ reply }: TranscriptMessage): string {
  return reply.standing
    .filter(({ block: { block_type } }) => block_type !== 'tool_call' && block_type !== 'tool_result')
    .map(({ block }) => describeBlock(block))
    .join('\n\n');
}
