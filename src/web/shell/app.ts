import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import type { ChatComposer } from '../compose/composer.js';
import type { TrayFile } from '../compose/file-tray.js';
import { renderEditBanner } from '../compose/edit-banner.js';
import type { Recording } from '../compose/voice.js';
import { Writing } from '../compose/writing.js';
import { icons } from '../design/icons.js';
import type { MenuItem } from '../design/menu.js';
import { PART_MISSING } from '../design/lazy-part.js';
import { Toast } from '../design/toast.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { NEW } from '../model/conversations.js';
import type { Place } from '../model/place.js';
import { texts } from '../texts.js';
import { ScrollKeeper } from '../thread/scroll-keeper.js';
import type { SetUpModel } from '../setup/setup-card.js';
import { renderAbsent } from '../thread/absent.js';
import { renderFounder } from '../thread/author.js';
import { renderThread } from '../thread/thread.js';
import { CanvasAside } from './canvas-aside.js';
import { ConversationList } from './conversation-list.js';
import { ConversationMenu } from './conversation-menu.js';
import { listHeaderCommands } from './header-commands.js';
import { describeFinding, renderHeader } from './header.js';
import { pressSingleKey, renderKeys } from './keys.js';
import { NamedMessage } from './named-message.js';
import { Places } from './places.js';
import { ReadOut } from './read-out.js';
import { renderSidebar } from './sidebar.js';
import { hasUnfinished, renderSignOut } from './sign-out.js';
import { renderStopped } from './stopped.js';

/** Characters of a model's first answer that are shown. */
const MAX_SHOWN_ANSWER = 120;

/** Windows that are narrower show the list over the conversation. */
const isNarrow = matchMedia('(width < 52rem)');

/**
 * The whole page: the conversation with its header and composer and the list beside it, or the sign-in form, or the
 * reason why it stopped.
 */
@customElement('chat-app')
export class ChatApp extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  /** True while the list is shown over the conversation, in a narrow window. */
  @state() private isListOver = false;
  // A query would walk through the whole thread, at each key.
  private readonly composerRef = createRef<ChatComposer>();
  private readonly threadRef = createRef<HTMLElement>();
  private readonly keysRef = createRef<HTMLDialogElement>();
  private readonly signOutRef = createRef<HTMLDialogElement>();
  readonly keeper = new ScrollKeeper(this, () => void this.chat.loadOlder());
  private readonly writing = new Writing(this, this.keeper, () => ({ chat: this.chat, composer: this.composer }));
  private readonly readOut = new ReadOut(this, () => this.chat);
  readonly toast = new Toast(this);
  private readonly list = new ConversationList(this, () => this.chat);
  private readonly menu = new ConversationMenu(this.toast, (conversation) => this.rename(conversation));
  readonly places = new Places((place) => void this.show(place));
  private readonly named = new NamedMessage(this, () => this);
  private readonly canvas = new CanvasAside(this, () => this);
  private shown: Conversation | undefined;
  private isFrameRequested = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.chat.changed.subscribe(() => this.requestFrame());
    this.chat.leaving.left.subscribe(() => this.places.forget());
    this.chat.link.identified.subscribe(({ isFirst }) => this.identified(isFirst));
    document.addEventListener('keydown', (event) => this.press(event));
    addEventListener('pagehide', () => this.savePosition());
    addEventListener(PART_MISSING, () => this.toast.offerReload(texts.partMissing, texts.stopped.reload));
  }

  protected override willUpdate(): void {
    if (this.shown !== this.chat.active) this.savePosition();
  }

  protected override render(): TemplateResult {
    const { stage, quality } = this.chat.link;
    if (stage.name === 'signed-out') {
      return html`<chat-sign-in
        .problem=${stage.problem ?? (stage.isTrying ? describeFinding(this.chat.link.finding) : '')}
        .trying=${stage.isTrying ? texts.link[quality] : ''}
        .leadsBack=${stage.goBack !== undefined}
        @go-back=${stage.goBack}
        @sign-in=${(event: CustomEvent<string>) => this.chat.link.signIn(event.detail)}
      ></chat-sign-in>`;
    }
    return stage.name === 'stopped' ? renderStopped(stage, () => this.chat.link.takeOver()) : this.renderChat();
  }

  protected override updated(): void {
    const { conversations, link, active, visitor } = this.chat;
    this.keeper.watch(this.threadRef.value);
    const title = visitor.absence === 'missing' ? texts.absent.title : this.hasList ? active?.title : undefined;
    document.title = texts.pageTitle(link.agentName, title, conversations.unread);
    const shown = this.composer ? active : undefined;
    if (shown) this.places.correct(conversations.nameOf(shown));
    if (shown !== this.shown && shown) void this.composer?.updateComplete.then(() => this.begin());
    this.shown = shown;
  }

  private begin(): void {
    this.writing.begin();
    this.showPanel(this.places.current);
    if (this.chat.link.identity) this.readOn();
  }

  /** Handles that messages can be read, which were not when the conversation was shown. */
  private identified(isFirst: boolean): void {
    if (!this.shown || this.shown !== this.chat.active) return;
    if (isFirst) this.readOn();
    else void this.named.show();
  }

  private readOn(): void {
    void this.writing.readOn();
    void this.named.show();
  }

  private savePosition(): void {
    if (this.shown) this.chat.drafts.savePosition(this.shown, this.keeper.position);
  }

  /** Shows the place of the address. */
  private async show(place: Place): Promise<void> {
    this.showPanel(place);
    await this.chat.visit();
    if (this.chat.active === this.shown) await this.named.show();
  }

  private showPanel({ panel, surface }: Place): void {
    this.canvas.show(surface);
    const keys = this.keysRef.value;
    if (panel !== 'keys') keys?.close();
    else if (!keys?.open) keys?.showModal();
    const wasOver = this.isListOver;
    this.isListOver = panel === 'list' && isNarrow.matches;
    if (wasOver && !this.isListOver) void this.updateComplete.then(() => this.composer?.invite());
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

  /** Undefined while the page shows something else. */
  private get composer(): ChatComposer | undefined {
    return this.composerRef.value;
  }

  /** True once there is something to show: of the gateway, or what the browser has stored. */
  private get isKnown(): boolean {
    return this.chat.link.identity !== undefined || this.chat.conversations.all.length > 0;
  }

  private get hasList(): boolean {
    return this.isKnown && !this.chat.conversations.isBound;
  }

  /** True also while it is not known whether there will be a list: nothing moves aside when it appears. */
  private get hasListPlace(): boolean {
    return this.isKnown ? this.hasList : !this.chat.conversations.wasBound;
  }

  private renderChat(): TemplateResult {
    const { chat, hasList, hasListPlace, isListOver, canvas } = this;
    const isClosed = chat.preferences.isListClosed;
    const openList = hasList ? () => this.openList() : undefined;
    const isListOpen = isNarrow.matches ? isListOver : !isClosed;
    const classes = `app ${hasListPlace ? 'with-list' : ''} ${isListOver ? 'list-over' : ''} ${isClosed ? 'list-closed' : ''} ${canvas.isOpen ? 'with-canvas' : ''}`;
    return html`<div class=${classes}>
      <button type="button" class="plain skip" @click=${() => this.composer?.focus()}>${texts.skip}</button>
      ${hasListPlace ? this.renderList() : nothing}
      <main ?inert=${(hasList && isListOver) || canvas.isOver}>
        ${renderHeader(chat, { isListOpen, openList, menu: this.listCommands() })}${this.renderThreadBox()}
        <div class="foot" ?hidden=${chat.visitor.absence !== undefined}>
          ${this.keeper.isAtEnd ? nothing : this.renderToEnd()}
          <div class="write">${this.renderComposer()}</div>
        </div>
      </main>
      ${canvas.render()}${hasList ? html`<div class="scrim" @click=${() => this.leaveList()}></div>` : nothing}${this.toast.render()}${this.readOut.render()}
      ${renderKeys(this.keysRef, chat.preferences, () => this.places.closePanel())}${renderSignOut(this.signOutRef, chat, this.writing.taker)}
    </div>`;
  }

  private renderList(): TemplateResult {
    const { chat, list, menu } = this;
    return renderSidebar({
      chat,
      list,
      menu,
      isKnown: this.isKnown,
      openNew: () => this.places.go({ conversation: NEW }),
      close: () => this.closeList(),
    });
  }

  /** The commands of the header's menu. */
  private listCommands(): readonly MenuItem[] {
    const { chat, hasList, menu } = this;
    return listHeaderCommands({
      chat,
      hasList,
      menu,
      print: () => void this.updateComplete.then(() => requestAnimationFrame(() => print())),
      showKeys: () => this.places.openPanel('keys'),
      signOut: () => this.signOut(),
    });
  }

  private renderThreadBox(): TemplateResult {
    const { chat, writing } = this;
    const { active: conversation, visitor } = chat;
    const { absence } = visitor;
    return html`<div
      ${ref(this.threadRef)}
      class="thread"
      role="log"
      aria-live="off"
      aria-label=${texts.thread.label}
      tabindex="0"
      @scroll=${() => this.keeper.scrolled()}
      @set-up=${(event: CustomEvent<SetUpModel | undefined>) => void this.setUp(event.detail)}
    >
      <div class="column">
        ${conversation ? renderThread({ chat, conversation, writing }) : absence ? renderAbsent(chat, absence) : nothing}
      </div>
    </div>`;
  }

  private renderComposer(): TemplateResult {
    const { chat, writing } = this;
    const { link, active } = chat;
    return html`${renderFounder(chat)}${renderEditBanner(writing)}<chat-composer
        ${ref(this.composerRef)}
        class="column"
        .agent=${link.agentName}
        .maxFrameBytes=${link.maxFrameBytes}
        .running=${active?.transcript.current !== undefined}
        .readOnly=${chat.isConnected && !link.may('messages:write')}
        .notice=${writing.notice}
        .conversation=${active}
        .tray=${writing.taker.files}
        .types=${link.identity?.media_types ?? []}
        .files=${chat.media}
        @attach=${(event: CustomEvent<readonly File[]>) => void writing.taker.take(event.detail)}
        @recorded=${({ detail: { file, conversation } }: CustomEvent<Recording>) => void writing.taker.take([file], conversation)}
        @detach=${(event: CustomEvent<TrayFile>) => writing.taker.remove(event.detail)}
        @retry=${(event: CustomEvent<TrayFile>) => void writing.taker.retry(event.detail)}
        @trouble=${(event: CustomEvent<string>) => (writing.notice = event.detail)}
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

  private stopReply(): void {
    const current = this.chat.active?.transcript.current;
    if (current) this.chat.cancel(current);
  }

  /** Escape closes what is open; only from the composer or the thread it stops the reply. Dialogs and menus come first. */
  private press(event: KeyboardEvent): void {
    const keys = this.keysRef.value;
    if (event.defaultPrevented || event.isComposing || !keys || keys.open) return;
    const { active } = this.chat;
    if (event.key === 'Escape') {
      if (this.isListOver) this.leaveList();
      else if (!this.canvas.leave(event.target) && isForReply(event.target)) this.stopReply();
    } else if (event.key === 'F2' && this.hasList && active && !active.isEmpty) {
      this.rename(active);
    } else if (this.chat.preferences.hasSingleKeys) {
      pressSingleKey(event, {
        search: () => this.search(),
        openNew: () => this.hasList && this.places.go({ conversation: NEW }),
        showKeys: () => this.places.openPanel('keys'),
      });
    }
  }

  /** Signs out, after asking what becomes of messages that are not sent. */
  private signOut(): void {
    if (hasUnfinished(this.chat, this.writing.taker)) this.signOutRef.value?.showModal();
    else this.chat.leaving.leave('discard');
  }

  private search(): void {
    if (!this.hasList) return;
    this.openList('.sidebar input');
  }

  private rename(conversation: Conversation): void {
    this.list.type('');
    this.openList(undefined);
    this.list.rename(conversation);
  }

  /** Handles that a model was set up, here or on another page. */
  private async setUp(model: SetUpModel | undefined): Promise<void> {
    const { done, taken } = texts.noModel;
    this.toast.show(model ? done(model.model, model.text.slice(0, MAX_SHOWN_ANSWER)) : taken);
    await this.chat.link.readIdentity();
    this.composer?.invite();
  }

  private openList(focus: string | undefined = '.sidebar button'): void {
    if (isNarrow.matches) this.places.openPanel('list');
    else this.chat.preferences.isListClosed = false;
    if (focus !== undefined) void this.updateComplete.then(() => this.querySelector<HTMLElement>(focus)?.focus());
  }

  private closeList(): void {
    if (isNarrow.matches) return this.leaveList();
    this.chat.preferences.isListClosed = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.show-list')?.focus());
  }

  /** Leaves the list that is over the conversation; the browser's history follows. */
  private leaveList(): void {
    this.showPanel({ ...this.places.current, panel: undefined });
    this.places.closePanel();
  }
}

/** True for the composer and the thread, from which a key stops the reply. */
function isForReply(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('chat-composer, .thread') !== null;
}
