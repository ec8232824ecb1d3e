import type { ReactiveControllerHost } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { copyRich } from '../design/clipboard.js';
import { CONFIRM_FOR_MS } from '../design/copy-button.js';
import { writeReply } from './written.js';

/** Copies replies as Markdown and as HTML, and confirms it for a moment. */
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
    const written = writeReply(message.reply);
    const { writeHtml } = await import('../blocks/written-html.js');
    if (!(await copyRich(written, writeHtml(written)))) return this.onFailure();
    this.#show(message.key);
    setTimeout(() => this.#show(undefined), CONFIRM_FOR_MS);
  }

  #show(copied: TranscriptMessage['key'] | undefined): void {
    this.#copied = copied;
    this.host.requestUpdate();
  }
}
