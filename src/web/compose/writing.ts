import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Attachment, TranscriptMessage } from '../../client/index.js';
import type { Chat } from '../model/chat.js';
import { texts } from '../texts.js';
import type { ScrollKeeper } from '../thread/scroll-keeper.js';
import type { ChatComposer } from './composer.js';
import { PictureTaker } from './picture-taker.js';

/** The parts of the page that {@link Writing} uses; `composer` is null while it is not rendered. */
export interface WritingPage {
  readonly chat: Chat;
  readonly composer: ChatComposer | null;
}

/** Connects the composer and the chat: drafts, pictures, sending, and messages returned for editing. */
export class Writing implements ReactiveController {
  readonly taker: PictureTaker;
  #notice = '';
  /** True when a text was typed, or also submitted, before the conversation was known. */
  #isTypedAhead = false;
  #isSubmittedAhead = false;

  constructor(
    private readonly host: ReactiveControllerHost & EventTarget,
    private readonly keeper: ScrollKeeper,
    private readonly page: () => WritingPage,
  ) {
    host.addController(this);
    this.taker = new PictureTaker(host, () => ({
      media: page().chat.media,
      isReadOnly: page().composer?.readOnly ?? false,
      conversation: page().chat.active,
      report: (notice) => (this.notice = notice),
    }));
  }

  hostConnected(): void {
    const { chat } = this.page();
    chat.withdrawn.subscribe((message) => this.#giveBack(message));
    chat.refused.subscribe((reason) => (this.notice = texts.message.refusedOtherwise(reason)));
  }

  /** A note for the writer; empty when there is none. */
  get notice(): string {
    return this.#notice;
  }

  set notice(notice: string) {
    this.#notice = notice;
    this.host.requestUpdate();
  }

  /** Restores the draft of a newly shown conversation, unless a text was typed before the conversation was known. */
  begin(): void {
    const { chat, composer } = this.page();
    if (!composer) return;
    this.keeper.toEnd();
    composer.invite();
    if (this.#isSubmittedAhead) this.write(composer.text);
    else if (this.#isTypedAhead) chat.saveDraft(composer.text);
    else composer.text = chat.readDraft();
    this.#isSubmittedAhead = false;
    this.#isTypedAhead = false;
  }

  /** Sends the composer's text with its pictures. */
  write(text: string): void {
    if (this.taker.isUploading) this.notice = texts.pictures.wait;
    else if (this.send(text, this.taker.attachments)) this.taker.clear();
  }

  /**
   * Sends a text, and clears the composer if it holds the same text. Returns false while the sender is not known yet.
   */
  send(text: string, attachments: readonly Attachment[] = []): boolean {
    const { chat, composer } = this.page();
    if (!chat.send(text, attachments)) {
      this.notice = texts.composer.notYet;
      this.#isSubmittedAhead = true;
      return false;
    }
    this.notice = '';
    this.keeper.toEnd();
    if (composer?.text.trim() !== text.trim()) return true;
    composer.text = '';
    chat.saveDraft('');
    return true;
  }

  typed(text: string): void {
    const { chat } = this.page();
    this.notice = '';
    this.#isSubmittedAhead = false;
    this.#isTypedAhead = chat.active === undefined;
    chat.saveDraft(text);
    if (text === '') chat.presence.sent();
    else chat.presence.typed();
  }

  /** Removes a refused message from the page and puts it back into the composer. */
  edit(message: TranscriptMessage): void {
    this.page().chat.dismiss(message);
    this.#giveBack(message);
  }

  /** Cancels a message whose reply has not begun, and puts it back into the composer. */
  takeBack(message: TranscriptMessage): void {
    const { chat } = this.page();
    chat.cancel(message);
    // One that was not sent comes back when it is withdrawn.
    if (message.phase === 'open') this.#giveBack(message);
  }

  /** Puts a message back into the composer, unless the composer already holds something else. */
  #giveBack({ content = '', attachments }: TranscriptMessage): void {
    const { chat, composer } = this.page();
    if (!composer || composer.text !== '' || this.taker.pictures.length > 0) return;
    this.taker.putBack(attachments);
    composer.text = content;
    chat.saveDraft(content);
    composer.focus();
  }
}
