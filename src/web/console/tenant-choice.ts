import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ConsoleContext } from './context.js';
import { consoleTexts } from './texts.js';

/** Most tenants that can be chosen from. */
const MAX_TENANTS = 200;

/** For an operator of all tenants: the one that the console shows, or all. The choice stands in the address. */
@customElement('console-tenant')
export class ConsoleTenant extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @state() private names: readonly string[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    void this.read();
  }

  protected override render(): TemplateResult {
    const { tenant = '' } = this.app.router.place.filters;
    const { label, all } = consoleTexts.tenant;
    const names = tenant === '' || this.names.includes(tenant) ? this.names : [tenant, ...this.names];
    return html`<select class="field" aria-label=${label} @change=${this.choose}>
      <option value="">${all}</option>
      ${names.map((name) => html`<option value=${name} ?selected=${name === tenant}>${name}</option>`)}
    </select>`;
  }

  private async read(): Promise<void> {
    const { api } = this.app;
    const page = await api.page<{ readonly name: string }>('/tenants', { limit: MAX_TENANTS }).catch(() => undefined);
    this.names = page?.items.map(({ name }) => name) ?? [];
  }

  /** The page is loaded again: everything in it is of the tenant before. */
  private choose({ target }: Event): void {
    const { router } = this.app;
    router.filter({ tenant: (target as HTMLSelectElement).value });
    location.reload();
  }
}

/** Renders the choice for those who have one. */
export function renderTenantChoice(app: ConsoleContext): TemplateResult | typeof nothing {
  return app.me.isOfAllTenants ? html`<console-tenant .app=${app}></console-tenant>` : nothing;
}
