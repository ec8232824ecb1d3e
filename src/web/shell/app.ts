import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { ChatComposer } from '../compose/composer.js';
import type { Picture } from '../compose/picture-tray.js';
import { renderEditBanner } from '../compose/edit-banner.js';
import { Writing } from '../compose/writing.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { Stage } from '../model/gateway-link.js';
import { texts } from '../texts.js';
import { ReplyCopier } from '../thread/reply-copier.js';
import { ScrollKeeper } from '../thread/scroll-keeper.js';
import { renderThread } from '../thread/thread.js';
import { renderHeader } from './header.js';
import { ReadOut } from './read-out.js';
import { renderSidebar } from './sidebar.js';
import { UndoOffer } from './undo-offer.js';

/**
 * The whole page: the conversation with its header and composer and the list beside it, or the sign-in form, or the
 * reason why it stopped.
 */
@customElement('chat-app')
export class ChatApp extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  @state() private isMenuOpen = false;
  @query('chat-composer') private readonly composer!: ChatComposer | null;
  @query('.thread') private readonly thread!: HTMLElement | null;
  private readonly keeper = new ScrollKeeper(this, () => void this.chat.loadOlder());
  private readonly writing = new Writing(this, this.keeper, () => ({ chat: this.chat, composer: this.composer }));
  private readonly copier = new ReplyCopier(this, () => (this.writing.notice = texts.message.copyFailed));
  private readonly readOut = new ReadOut(this, () => this.chat);
  private readonly undo = new UndoOffer(this);
  private shown: Conversation | undefined;
  private isFrameRequested = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.chat.changed.subscribe(() => this.requestFrame());
    this.addEventListener('keydown', (event) => this.press(event));
  }

  protected override render(): TemplateResult {
    const { stage, quality } = this.chat.link;
    if (stage.name === 'signed-out') {
      return html`<chat-sign-in
        .problem=${stage.problem ?? ''}
        .trying=${stage.isTrying ? texts.link[quality] : ''}
        @sign-in=${(event: CustomEvent<string>) => this.chat.link.signIn(event.detail)}
      ></chat-sign-in>`;
    }
    return stage.name === 'stopped' ? this.renderStopped(stage) : this.renderChat();
  }

  protected override updated(): void {
    this.keeper.watch(this.thread ?? undefined);
    document.title = texts.pageTitle(this.chat.link.agentName);
    const shown = this.composer ? this.chat.active : undefined;
    if (shown !== this.shown && shown) void this.composer?.updateComplete.then(() => this.writing.begin());
    this.shown = shown;
  }

  /** Updates at most once per frame: a stream changes more often than a screen can show. */
  private requestFrame(): void {
    if (this.isFrameRequested) return;
    this.isFrameRequested = true;
    requestAnimationFrame(() => {
      this.isFrameRequested = false;
      this.requestUpdate();
    });
  }

  private renderChat(): TemplateResult {
    const { chat, isMenuOpen } = this;
    const hasList = chat.link.identity !== undefined && !chat.conversations.isBound;
    const openMenu = hasList ? () => this.openMenu() : undefined;
    return html`<div class="app ${hasList ? 'with-list' : ''} ${isMenuOpen ? 'menu-open' : ''}">
      ${hasList ? this.renderList() : nothing}
      <main ?inert=${hasList && isMenuOpen}>
        ${renderHeader(chat, { isMenuOpen, openMenu })}${this.renderThreadBox()}
        <div class="foot">${this.keeper.isAtEnd ? nothing : this.renderToEnd()}${this.renderComposer()}</div>
      </main>
      ${hasList ? html`<div class="scrim" @click=${() => this.leaveMenu()}></div>` : nothing}${this.undo.render()}${this.readOut.render()}
    </div>`;
  }

  private renderList(): TemplateResult {
    const { chat } = this;
    return renderSidebar(chat.conversations, {
      open: (conversation) => this.leaveMenu(() => chat.open(conversation)),
      openNew: () => this.leaveMenu(() => chat.openNew()),
      remove: (conversation) => this.undo.offer(chat.remove(conversation)),
      close: () => this.leaveMenu(),
    });
  }

  private renderThreadBox(): TemplateResult {
    const { chat, writing, copier } = this;
    const { active: conversation } = chat;
    return html`<div
      class="thread"
      role="log"
      aria-live="off"
      aria-label=${texts.thread.label}
      tabindex="0"
      @scroll=${() => this.keeper.scrolled()}
    >
      <div class="column">${conversation ? renderThread({ chat, conversation, writing, copier }) : nothing}</div>
    </div>`;
  }

  private renderComposer(): TemplateResult {
    const { chat, writing } = this;
    const { link, active } = chat;
    return html`${renderEditBanner(writing)}<chat-composer
        class="column"
        .agent=${link.agentName}
        .maxFrameBytes=${link.maxFrameBytes}
        .running=${active?.transcript.current !== undefined}
        .readOnly=${chat.isConnected && !link.may('messages:write')}
        .notice=${writing.notice}
        .pictures=${writing.taker.pictures}
        .files=${chat.media}
        @attach=${(event: CustomEvent<readonly File[]>) => void writing.taker.take(event.detail)}
        @detach=${(event: CustomEvent<Picture>) => writing.taker.remove(event.detail)}
        @send=${(event: CustomEvent<string>) => writing.write(event.detail)}
        @typed=${(event: CustomEvent<string>) => writing.typed(event.detail)}
        @stop=${() => this.stopReply()}
      ></chat-composer>`;
  }

  private renderToEnd(): TemplateResult {
    const label = texts.thread.newest;
    return html`<button
      type="button"
      class="icon-button to-end"
      aria-label=${label}
      title=${label}
      @click=${() => this.keeper.toEnd()}
    >
      ${icons.down}
    </button>`;
  }

  private renderStopped({ heading, problem, remedy }: Extract<Stage, { name: 'stopped' }>): TemplateResult {
    const [label, act] =
      remedy === 'reload'
        ? [texts.stopped.reload, () => location.reload()]
        : [texts.stopped.takeOver, () => this.chat.link.takeOver()];
    return html`<main class="card" role="alert">
      <h1>${heading}</h1>
      <p>${problem}</p>
      <button type="button" class="main" @click=${act}>${label}</button>
    </main>`;
  }

  private stopReply(): void {
    const current = this.chat.active?.transcript.current;
    if (current) this.chat.cancel(current);
  }

  private press(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.isComposing) return;
    if (this.isMenuOpen) this.leaveMenu();
    else this.stopReply();
  }

  private openMenu(): void {
    this.isMenuOpen = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.sidebar button')?.focus());
  }

  private leaveMenu(act?: () => void): void {
    const wasOpen = this.isMenuOpen;
    this.isMenuOpen = false;
    act?.();
    if (wasOpen) void this.updateComplete.then(() => this.composer?.invite());
  }
}
