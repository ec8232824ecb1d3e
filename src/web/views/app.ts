import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { Attachment, StreamBlock } from '../../client/index.js';
import type { Chat } from '../chat.js';
import { copyText } from '../clipboard.js';
import type { Conversation, Message } from '../conversation.js';
import type { Stage } from '../gateway-link.js';
import type { Picture } from '../picture-tray.js';
import { texts } from '../texts.js';
import { describeBlock } from './blocks.js';
import type { ChatComposer } from './composer.js';
import { icons } from './icons.js';
import { describeReply } from './message.js';
import { PictureTaker } from './picture-taker.js';
import { ScrollKeeper } from './scroll-keeper.js';
import { renderSidebar } from './sidebar.js';
import { renderThread, type ThreadSurroundings } from './thread.js';

const CONFIRM_FOR_MS = 2_000;
const UNDO_FOR_MS = 8_000;

/** How many blocks at once, and how much of each, is read out. */
const READ_OUT_BLOCKS = 10;
const READ_OUT_LENGTH = 600;

/** The whole page. */
@customElement('chat-app')
export class ChatApp extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  @state() private isMenuOpen = false;
  @state() private copied: Message | undefined;
  @state() private notice = '';
  @state() private undo: (() => void) | undefined;
  @query('chat-composer') private readonly composer!: ChatComposer | null;
  @query('.thread') private readonly thread!: HTMLElement | null;
  private readonly keeper = new ScrollKeeper(this, () => void this.chat.loadOlder());
  private readonly taker = new PictureTaker(this, () => ({
    media: this.chat.media,
    isReadOnly: this.composer?.readOnly ?? false,
    findConversation: () => this.chat.active,
    tell: (notice) => (this.notice = notice),
  }));
  private shown: Conversation | undefined;
  /** Something was written, and perhaps meant to be sent, before it was known in which conversation. */
  private isTypedAhead = false;
  private isEager = false;
  private readOut = '';
  private isFrameRequested = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // A stream changes more often than a screen can show.
    this.chat.onChange = () => {
      if (this.isFrameRequested) return;
      this.isFrameRequested = true;
      requestAnimationFrame(() => {
        this.isFrameRequested = false;
        this.requestUpdate();
      });
    };
    this.chat.onWithdrawn = ({ content, attachments }) => this.release(content ?? '', attachments);
    this.chat.onRefused = (reason) => (this.notice = texts.message.refusedOtherwise(reason));
    this.addEventListener('keydown', (event) => this.press(event));
  }

  protected override willUpdate(): void {
    const finished = this.chat.finished.splice(0);
    if (finished.length > 0) this.readOut = finished.slice(-READ_OUT_BLOCKS).map(readOut).join(' ');
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
    const { active, link } = this.chat;
    const agent = link.identity?.agent_name;
    document.title = texts.pageTitle(agent ?? texts.productName);
    const shown = this.composer ? active : undefined;
    if (shown !== this.shown && shown) void this.composer?.updateComplete.then(() => this.beginWriting());
    this.shown = shown;
  }

  /** Another conversation is shown: its draft, unless something was written before anybody knew which one it would be. */
  private beginWriting(): void {
    if (!this.composer) return;
    this.keeper.toEnd();
    this.composer.invite();
    if (this.isEager) this.write(this.composer.text);
    else if (this.isTypedAhead) this.chat.keepDraft(this.composer.text);
    else this.composer.text = this.chat.readDraft();
    this.isEager = false;
    this.isTypedAhead = false;
  }

  private renderChat(): TemplateResult {
    const { chat } = this;
    const { active, list, link } = chat;
    const hasList = link.identity !== undefined && !list.isBound;
    return html`<div class="app ${hasList ? 'with-list' : ''} ${this.isMenuOpen ? 'menu-open' : ''}">
      ${
        hasList
          ? renderSidebar(chat, {
              open: (conversation) => this.leaveMenu(() => chat.open(conversation)),
              openNew: () => this.leaveMenu(() => chat.openNew()),
              remove: (conversation) => this.removeConversation(conversation),
              close: () => this.leaveMenu(() => {}),
            })
          : nothing
      }
      <main ?inert=${hasList && this.isMenuOpen}>
        ${this.renderHeader(hasList)}
        <div
          class="thread"
          role="log"
          aria-live="off"
          aria-label=${texts.thread.label}
          tabindex="0"
          @scroll=${() => this.keeper.scrolled()}
        >
          <div class="column">${active ? renderThread(active, this.surroundings()) : nothing}</div>
        </div>
        <div class="foot">
          ${this.keeper.isAtEnd ? nothing : this.renderToEnd()}
          <chat-composer
            class="column"
            .agent=${this.agent}
            .maxFrameBytes=${link.maxFrameBytes}
            .running=${active?.current !== undefined}
            .readOnly=${link.quality === 'connected' && !link.may('messages:write')}
            .notice=${this.notice}
            .pictures=${this.taker.pictures}
            .files=${this.chat.media}
            @attach=${(event: CustomEvent<readonly File[]>) => void this.taker.take(event.detail)}
            @detach=${(event: CustomEvent<Picture>) => this.taker.remove(event.detail)}
            @send=${(event: CustomEvent<string>) => this.write(event.detail)}
            @typed=${(event: CustomEvent<string>) => this.typed(event.detail)}
            @stop=${() => this.stopAnswer()}
          ></chat-composer>
        </div>
      </main>
      ${hasList ? html`<div class="scrim" @click=${() => this.leaveMenu(() => {})}></div>` : nothing}
      <div class="toast-place" role="status">
        ${
          this.undo
            ? html`<p class="toast">
                ${texts.conversations.removed}<button type="button" class="quiet" @click=${this.undo}>
                  ${texts.conversations.undo}
                </button>
              </p>`
            : nothing
        }
      </div>
      <p class="visually-hidden" aria-live="polite">${this.readOut}</p>
    </div>`;
  }

  private renderHeader(hasList: boolean): TemplateResult {
    const { link, list, active } = this.chat;
    const title = hasList && active ? list.titleOf(active) : undefined;
    return html`<header class="bar">
        ${
          hasList
            ? html`<button
                type="button"
                class="icon-button only-narrow"
                aria-label=${texts.conversations.open}
                aria-expanded=${this.isMenuOpen}
                aria-controls="conversations"
                @click=${() => this.openMenu()}
              >
                ${icons.menu}
              </button>`
            : nothing
        }
        <h1 dir="auto">${title ?? this.agent}</h1>
        <p class="link ${link.quality}">
          <i aria-hidden="true"></i><span role="status">${texts.link[link.quality]}</span>
        </p>
        ${
          link.quality === 'connected' || link.quality === 'connecting'
            ? nothing
            : html`<button type="button" class="quiet" @click=${() => link.reconnect()}>${texts.link.tryNow}</button>`
        }
        ${this.chat.isSignedIn ? html`<button type="button" class="quiet" @click=${() => this.chat.signOut()}>${texts.signIn.signOut}</button>` : nothing}
      </header>
      ${link.isRefused ? html`<p class="trouble strip" role="alert">${texts.link.refused(location.origin)}</p>` : nothing}`;
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

  private get agent(): string {
    return this.chat.link.identity?.agent_name ?? texts.productName;
  }

  private surroundings(): ThreadSurroundings {
    const { chat } = this;
    return {
      agent: this.agent,
      sender: chat.active?.sender ?? '',
      isConnected: chat.link.quality === 'connected',
      isLoadingOlder: chat.isLoadingOlder,
      isBuiltin: chat.link.identity?.agent_runtime === 'builtin',
      wasForgotten: chat.forgotten === chat.active,
      copied: this.copied,
      say: (text) => this.send(text),
      cancel: (message) => chat.cancel(message),
      dismiss: (message) => chat.dismiss(message),
      edit: (message) => {
        chat.dismiss(message);
        this.release(message.content ?? '', message.attachments);
      },
      repeat: (message) => this.send(message.content ?? '', message.attachments),
      media: chat.media,
      decide: (status, decision) => chat.decide(status, decision),
      copy: (message) => void this.copyReply(message),
    };
  }

  /** Sends what stands in the composer, with its pictures. */
  private write(text: string): void {
    if (this.taker.isUploading) this.notice = texts.pictures.wait;
    else if (this.send(text, this.taker.attachments)) this.taker.clear();
  }

  private send(text: string, attachments: readonly Attachment[] = []): boolean {
    if (!this.chat.send(text, attachments)) {
      this.notice = texts.composer.notYet;
      this.isEager = true;
      return false;
    }
    this.notice = '';
    this.keeper.toEnd();
    if (this.composer?.text.trim() !== text.trim()) return true;
    this.composer.text = '';
    this.chat.keepDraft('');
    return true;
  }

  private typed(text: string): void {
    this.notice = '';
    this.isEager = false;
    this.isTypedAhead = this.chat.active === undefined;
    this.chat.keepDraft(text);
    if (text === '') this.chat.presence.sent();
    else this.chat.presence.typed();
  }

  /** What was written goes back to where it was written, unless something else is there by now. */
  private release(text: string, attachments: readonly Attachment[]): void {
    if (!this.composer || this.composer.text !== '' || this.taker.pictures.length > 0) return;
    this.taker.putBack(attachments);
    this.composer.text = text;
    this.chat.keepDraft(text);
    this.composer.focus();
  }

  private stopAnswer(): void {
    const current = this.chat.active?.current;
    if (current) this.chat.cancel(current);
  }

  private press(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.isComposing) return;
    if (this.isMenuOpen) this.leaveMenu(() => {});
    else this.stopAnswer();
  }

  private openMenu(): void {
    this.isMenuOpen = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.sidebar button')?.focus());
  }

  private leaveMenu(act: () => void): void {
    const wasOpen = this.isMenuOpen;
    this.isMenuOpen = false;
    act();
    if (wasOpen) void this.updateComplete.then(() => this.composer?.invite());
  }

  private removeConversation(conversation: Conversation): void {
    const putBack = this.chat.remove(conversation);
    const undo = () => {
      putBack();
      this.undo = undefined;
    };
    this.undo = undo;
    setTimeout(() => {
      if (this.undo === undo) this.undo = undefined;
    }, UNDO_FOR_MS);
  }

  private async copyReply(message: Message): Promise<void> {
    if (!(await copyText(describeReply(message)))) {
      this.notice = texts.message.copyFailed;
      return;
    }
    this.copied = message;
    setTimeout(() => (this.copied = undefined), CONFIRM_FOR_MS);
  }
}

function readOut(block: StreamBlock): string {
  const said = describeBlock(block);
  return said.length > READ_OUT_LENGTH ? `${said.slice(0, READ_OUT_LENGTH)}…` : said;
}
