import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import { announce } from '../design/announce.js';
import { icons } from '../design/icons.js';
import { isInUse } from '../design/in-use.js';
import { PART_MISSING, reportMissing } from '../design/lazy-part.js';
import type { MenuItem } from '../design/menu.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { signOutOfProvider } from '../model/identity-provider.js';
import { texts } from '../texts.js';
import { Actions } from './act.js';
import { Api } from './api.js';
import { findBarrier, listOpenPages, renderClosed } from './barrier.js';
import type { ConsoleContext } from './context.js';
import { describeLiveChange, renderHeader } from './header.js';
import { consoleIcons } from './icons.js';
import { ConsoleKeys, renderKeys } from './keys.js';
import { Live, neighboursOf } from './live.js';
import { Me } from './me.js';
import { renderNavigation } from './navigation.js';
import { settings } from './own-settings.js';
import type { ConsolePage } from './page.js';
import { findPage, type PageEntry } from './page-table.js';
import type { ConsolePalette } from './palette.js';
import type { Place } from './place.js';
import type { Router } from './router.js';
import type { ConsoleSession } from './session.js';
import type { NoSignIn } from './sign-in.js';
import { renderMissing } from './missing.js';
import { GatewayStatus } from './status.js';
import { consoleTexts } from './texts.js';

const narrow = matchMedia('(max-width: 56rem)');

/** The console: the sign-in, the navigation, the header, and the page of the place. */
@customElement('console-app')
export class ConsoleApp extends LitElement {
  /** The address of the gateway. */
  @property() root!: string;
  @property({ attribute: false }) session!: ConsoleSession;
  @property({ attribute: false }) router!: Router;
  /** Undefined until a person has signed in. */
  @state() private context: ConsoleContext | undefined;
  /** Why the person has to sign in; undefined if they do not. */
  @state() private problem: string | undefined;
  @state() private page: ConsolePage | undefined;
  /** Why there is no page for the place; `barrier` says what the person lacks. */
  @state() private absence: 'missing' | 'failed' | { readonly barrier: string } | undefined;
  @state() private heading = '';
  private readonly keysDialog = createRef<HTMLDialogElement>();
  private readonly navigation = createRef<HTMLDialogElement>();
  private readonly keys = new ConsoleKeys(this);

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** The page that is shown, for keys. */
  get shownPage(): ConsolePage | undefined {
    return this.page;
  }

  /** Begins with who is signed in, or with the sign-in. @param isOfChat true if the credential is that of the chat */
  begin(outcome: Me | NoSignIn, isOfChat: boolean): void {
    if (!(outcome instanceof Me)) {
      this.session.keepPlace(location.href);
      this.problem = isOfChat && outcome.problem === texts.signIn.wrong ? '' : outcome.problem;
      return;
    }
    const kept = this.session.takePlace();
    if (kept !== undefined && this.router.place.page === '') this.router.go(kept, 'replace');
    this.context = this.makeContext(outcome);
    this.context.live.start();
    void this.context.status.read();
    this.router.changed.subscribe((place) => void this.show(place));
    settings.changed.subscribe(() => this.requestUpdate());
    void this.show(this.router.place);
  }

  /** The browser shows or hides the page. */
  shown(isVisible: boolean): void {
    this.context?.live.show(isVisible);
  }

  networkChanged(): void {
    this.context?.live.hurry();
  }

  go(name: string): void {
    this.router.go(this.router.link({ page: name }));
  }

  async jump(): Promise<void> {
    this.navigation.value?.close();
    if (!(await import('./palette.js').catch(reportMissing))) return;
    await this.querySelector<ConsolePalette>('console-palette')?.open();
  }

  showKeys(): void {
    this.keysDialog.value?.showModal();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('keydown', (event) => this.keys.press(event));
    addEventListener(PART_MISSING, () => this.context?.act.say(consoleTexts.partMissing));
    narrow.addEventListener('change', () => this.requestUpdate());
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('heading')) return;
    const { approvals = 0 } = this.context?.status.answer?.counts ?? {};
    document.title = `${approvals > 0 ? `(${approvals}) ` : ''}${consoleTexts.title(this.heading)}`;
  }

  protected override render(): TemplateResult {
    const { context } = this;
    const isLocked = this.problem !== undefined;
    return html`${context ? html`<div class="console" ?inert=${isLocked}>${this.renderConsole(context)}</div>` : nothing}
    ${isLocked ? this.renderSignIn() : nothing}`;
  }

  private renderSignIn(): TemplateResult {
    return html`<console-sign-in
      class="sign-in"
      .root=${this.root}
      .session=${this.session}
      .problem=${this.problem}
      @signed-in=${({ detail }: CustomEvent<Me>) => this.signedIn(detail)}
    ></console-sign-in>`;
  }

  private renderConsole(context: ConsoleContext): TemplateResult {
    const navigation = renderNavigation({
      router: this.router,
      status: context.status.answer,
      me: context.me,
      jump: () => void this.jump(),
    });
    const openNavigation = narrow.matches ? () => this.navigation.value?.showModal() : undefined;
    return html`<a class="skip plain" href="#page" @click=${this.skip}>${consoleTexts.skip}</a>
      ${
        narrow.matches
          ? html`<dialog
              ${ref(this.navigation)}
              class="sidebar drawer"
              aria-label=${consoleTexts.navigation}
              @click=${this.leave}
            >
              ${navigation}
            </dialog>`
          : html`<aside class="sidebar">${navigation}</aside>`
      }
      <main id="page" class=${context.live.state === 'reconnecting' ? 'stale' : ''} @entitle=${this.entitle}>
        ${renderHeader({ heading: this.heading, app: context, openNavigation, menu: this.listMenu() })}
        ${this.page ?? this.renderAbsence(context)}
      </main>
      ${context.act.render()}
      <console-palette .router=${this.router} .me=${context.me}></console-palette>
      ${renderKeys(this.keysDialog, listOpenPages(context.me), () => this.requestUpdate())}`;
  }

  private renderAbsence({ me }: ConsoleContext): TemplateResult {
    const { absence, router } = this;
    if (absence === 'missing') return renderMissing(router);
    if (typeof absence === 'object') return renderClosed(absence.barrier, me, router);
    if (absence === undefined) return html`<p class="loading" role="status">${consoleTexts.loadingPage}</p>`;
    return html`<div class="trouble" role="alert">
      <p>${consoleTexts.pageFailed}</p>
      <button type="button" class="plain" @click=${() => location.reload()}>${consoleTexts.list.tryAgain}</button>
    </div>`;
  }

  private makeContext(me: Me): ConsoleContext {
    const { router, session } = this;
    const credentials = {
      get token() {
        return session.token;
      },
      get tenant() {
        return me.isOfAllTenants ? router.place.filters['tenant'] : undefined;
      },
      refused: () => this.lock(),
    };
    const api = new Api(this.root, credentials, requestNotingTime);
    const live = new Live(
      (lastId, signal) => api.open('/events', {}, lastId === undefined ? {} : { 'Last-Event-ID': lastId }, signal),
      neighboursOf(`${me.reach} ${credentials.tenant ?? ''}`),
    );
    const status = new GatewayStatus(api, live);
    let before = live.state;
    live.changed.subscribe(() => {
      const news = describeLiveChange(before, live);
      before = live.state;
      if (news !== undefined) announce(news);
      this.requestUpdate();
    });
    status.changed.subscribe(() => this.requestUpdate());
    return { api, me, live, router, status, act: new Actions(this, me) };
  }

  /** Shows the page of a place. The one that is shown stays while its name does. */
  private async show(place: Place): Promise<void> {
    const entry = findPage(place.page);
    if (entry && this.page?.localName === entry.tag) {
      this.page.place = place;
      return;
    }
    this.navigation.value?.close();
    this.page = undefined;
    const barrier = entry && this.context && findBarrier(entry, this.context.me);
    this.absence = !entry ? 'missing' : barrier === undefined ? undefined : { barrier };
    this.heading = entry?.title ?? consoleTexts.missing.heading;
    if (entry && barrier === undefined) await this.load(entry);
    await this.updateComplete;
    if (!isInUse(document.activeElement)) this.querySelector('h1')?.focus({ preventScroll: true });
  }

  private async load(entry: Pick<PageEntry, 'name' | 'tag' | 'load'>): Promise<void> {
    try {
      await entry.load();
    } catch {
      this.absence = 'failed';
      return;
    }
    const { place } = this.router;
    // Meanwhile the person may have gone on.
    if (place.page !== entry.name || !this.context) return;
    const page = document.createElement(entry.tag) as ConsolePage;
    page.className = 'page';
    page.app = this.context;
    page.place = place;
    this.page = page;
  }

  /** The access was lost: the person signs in over the page, which stays. */
  private lock(): void {
    if (this.problem !== undefined) return;
    this.session.keepPlace(location.href);
    // A dialog would be above the sign-in, and does not answer while what is below is locked.
    for (const dialog of this.querySelectorAll<HTMLDialogElement>('dialog[open]')) dialog.close();
    this.problem = texts.signIn.ended;
  }

  private signedIn(me: Me): void {
    this.problem = undefined;
    if (!this.context) return this.begin(me, false);
    // Another person gets a page without anything of the one before.
    if (me.reach !== this.context.me.reach) return location.reload();
    this.session.takePlace();
    this.context.live.start();
    void this.context.status.read();
    this.page?.read();
  }

  private async signOut(): Promise<void> {
    this.session.end();
    const isLeft = await signOutOfProvider({ root: this.root, name: 'console' });
    // A second navigation would end that to the provider, where the person would stay signed in.
    if (!isLeft) location.assign(this.router.base);
  }

  private listMenu(): readonly MenuItem[] {
    const { density } = settings;
    const other = density === 'normal' ? 'compact' : 'normal';
    return [
      { icon: consoleIcons.rows, label: consoleTexts.density[other], act: () => (settings.density = other) },
      { icon: icons.keys, label: consoleTexts.keys.heading, key: '?', act: () => this.showKeys() },
      { icon: consoleIcons.sessions, label: consoleTexts.chat, act: () => location.assign(`${this.root}chat`) },
      { icon: icons.leave, label: consoleTexts.signOut, act: () => void this.signOut() },
    ];
  }

  private entitle({ detail }: CustomEvent<string>): void {
    this.heading = detail;
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.querySelector('h1')?.focus();
  }

  /** A press beside the navigation, or on one of its links, closes it. */
  private leave({ target }: Event): void {
    if (target === this.navigation.value || (target instanceof Element && target.closest('a')))
      this.navigation.value?.close();
  }
}

/** Sends a request, and notes what time it is for the gateway. */
async function requestNotingTime(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  const time = Date.parse(response.headers.get('Date') ?? '');
  if (!Number.isNaN(time)) gatewayClock.note(time);
  return response;
}
