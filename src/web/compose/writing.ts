import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Attachment, TranscriptMessage } from '../../client/index.js';
import { isInUse } from '../design/in-use.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';
import type { ScrollKeeper } from '../thread/scroll-keeper.js';
import type { ChatComposer } from './composer.js';
import { FileTaker } from './file-taker.js';

/** The parts of the page that {@link Writing} uses; `composer` is undefined while it is not rendered. */
export interface WritingPage {
  readonly chat: Chat;
  readonly composer: ChatComposer | undefined;
}

/** A message that is being edited, and what was in the composer before. */
interface Edit {
  readonly message: TranscriptMessage;
  readonly draft: string;
  readonly attachments: readonly Attachment[];
}

/** Connects the composer and the chat: drafts, files, sending, and messages returned for editing. */
export class Writing implements ReactiveController {
  readonly taker: FileTaker;
  #notice = '';
  readonly #edits = new WeakMap<Conversation, Edit>();
  /** True when a text was typed, or also submitted, before the conversation was known. */
  #isTypedAhead = false;
  #isSubmittedAhead = false;

  constructor(
    private readonly host: ReactiveControllerHost & EventTarget,
    private readonly keeper: ScrollKeeper,
    private readonly page: () => WritingPage,
  ) {
    host.addController(this);
    this.taker = new FileTaker(host, () => ({
      media: page().chat.media,
      isReadOnly: page().composer?.readOnly ?? false,
      conversation: page().chat.active,
      readFiles: (conversation) => page().chat.drafts.readFiles(conversation),
      saveFiles: (conversation, files) => page().chat.drafts.saveFiles(conversation, files),
      report: (notice) => (this.notice = notice),
    }));
  }

  hostConnected(): void {
    const { chat } = this.page();
    chat.withdrawn.subscribe((message) => this.#giveBack(message));
    chat.refused.subscribe((reason) => (this.notice = texts.message.refusedOtherwise(reason)));
  }

  /** A note for the writer; empty when there is none. The one about missing files ends with their upload. */
  get notice(): string {
    return this.#notice === texts.files.wait && !this.taker.isIncomplete ? '' : this.#notice;
  }

  set notice(notice: string) {
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.host.requestUpdate();
  }

  /**
   * Restores what a person left of a newly shown conversation: the draft, unless a text was typed before the conversation
   * was known. The field gets the focus, unless the person already types or chooses elsewhere.
   */
  begin(): void {
    const { chat, composer } = this.page();
    if (!composer) return;
    if (!isInUse(document.activeElement)) composer.invite();
    if (this.#isSubmittedAhead) this.write(composer.text);
    else if (this.#isTypedAhead) chat.drafts.saveText(composer.text);
    else composer.text = chat.drafts.readText();
    this.#isSubmittedAhead = false;
    this.#isTypedAhead = false;
  }

  /** Sends the composer's text with its files. */
  write(text: string): void {
    if (this.taker.isIncomplete) return this.#refuse(texts.files.wait);
    if (!this.send(text, this.taker.attachments, this.editing?.ref)) return;
    this.taker.clear();
    this.stopEditing();
  }

  /**
   * Sends a text, in place of the message with the ref `supersedes` if that is given, and clears the composer if it holds
   * the same text. Returns false while the sender is not known yet.
   */
  send(text: string, attachments: readonly Attachment[] = [], supersedes?: string): boolean {
    const { chat, composer } = this.page();
    if (!chat.send(text, attachments, supersedes)) {
      this.notice = texts.composer.notYet;
      this.#isSubmittedAhead = true;
      return false;
    }
    this.notice = '';
    this.keeper.toEnd();
    if (composer?.text.trim() !== text.trim()) return true;
    composer.text = '';
    chat.drafts.saveText('');
    return true;
  }

  typed(text: string): void {
    const { chat } = this.page();
    this.notice = '';
    this.#isSubmittedAhead = false;
    this.#isTypedAhead = chat.active === undefined;
    chat.drafts.saveText(text);
    if (text === '') chat.presence.sent();
    else chat.presence.typed();
  }

  /** Removes a refused message from the page and puts it back into the composer, if that is empty. */
  edit(message: TranscriptMessage): void {
    if (!this.#isEmpty) return this.#refuse(texts.composer.occupied);
    this.page().chat.dismiss(message);
    this.#giveBack(message);
  }

  /** Cancels a message whose reply has not begun, and puts it back into the composer, if that is empty. */
  takeBack(message: TranscriptMessage): void {
    if (!this.#isEmpty) return this.#refuse(texts.composer.occupied);
    this.page().chat.cancel(message);
    // One that was not sent comes back when it is withdrawn.
    if (message.phase === 'open') this.#giveBack(message);
  }

  /** The answered message in whose place the composer's text will be sent. */
  get editing(): TranscriptMessage | undefined {
    return this.#edit?.message;
  }

  /** Puts an answered message into the composer, to be sent in its place. What was there comes back afterwards. */
  editAgain(message: TranscriptMessage): void {
    const { chat, composer } = this.page();
    if (!chat.active || !composer) return;
    // Only uploaded files can be put aside: any other would be lost.
    if (this.taker.isIncomplete) return this.#refuse(texts.files.wait);
    const { draft, attachments } = this.#edit ?? { draft: composer.text, attachments: this.taker.attachments };
    this.#edits.set(chat.active, { message, draft, attachments });
    this.#fill(message.content ?? '', message.attachments);
  }

  /** Ends editing, and restores what was in the composer before. */
  stopEditing(): void {
    const { active } = this.page().chat;
    const edit = this.#edit;
    if (!active || !edit) return;
    this.#edits.delete(active);
    this.#fill(edit.draft, edit.attachments);
  }

  /** Has a message answered again, in place of its first answer. */
  answerAgain({ content = '', attachments, ref }: TranscriptMessage): void {
    this.send(content, attachments, ref);
  }

  /** Shows the place where a person stopped reading a newly shown conversation, once it has been read again; else the end. */
  async readOn(): Promise<void> {
    const { chat } = this.page();
    const { active } = chat;
    const position = chat.drafts.readPosition();
    if (position && this.keeper.restore(position)) return;
    this.keeper.toEnd();
    if (!active || !position) return;
    await chat.reader.loadUntil(active, position.messageRef);
    await this.host.updateComplete;
    requestAnimationFrame(() => chat.active === active && this.keeper.restore(position));
  }

  get #edit(): Edit | undefined {
    const { active } = this.page().chat;
    return active && this.#edits.get(active);
  }

  /** True when the composer has room for a message: it holds neither text nor files. */
  get #isEmpty(): boolean {
    return this.page().composer?.text === '' && this.taker.files.length === 0;
  }

  #refuse(notice: string): void {
    this.notice = notice;
  }

  #fill(text: string, attachments: readonly Attachment[]): void {
    const { chat, composer } = this.page();
    if (!composer) return;
    this.taker.putBack(attachments);
    composer.text = text;
    chat.drafts.saveText(text);
    composer.focus();
    this.host.requestUpdate();
  }

  /** Puts a message back into the composer, unless the composer already holds something else. */
  #giveBack({ content = '', attachments }: TranscriptMessage): void {
    if (this.#isEmpty) this.#fill(content, attachments);
  }
}
