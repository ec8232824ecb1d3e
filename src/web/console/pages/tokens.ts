import { html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import '../act.js';
import { pathOf } from '../api.js';
import { formatCount } from '../format.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderText, renderTime } from './parts.js';
import { showsAllTenants, tenantColumn } from './tenant-column.js';
import './token-form.js';

/** A token that was made at run time. The gateway does not know its secret. */
interface Token {
  readonly id: string;
  readonly tenant: string;
  readonly principal: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly channels?: readonly string[];
  readonly sender?: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at?: number;
}

/** Who may come in. */
@customElement('console-tokens')
export class ConsoleTokens extends ListPage<Token> {
  protected override describe(): ListDescription<Token> {
    return {
      title: 'Tokens',
      load: (query, signal) => this.app.api.get('/tokens', query, signal),
      keyOf: ({ id }) => id,
      filters: this.app.me.isOfAllTenants ? [{ name: 'tenant', label: 'Tenant' }] : [],
      columns: [
        { head: 'Name', width: 'minmax(8rem, 1fr)', phone: 'main', cell: ({ principal }) => renderText(principal) },
        ...tenantColumn(this.app),
        { head: 'Role', width: '6rem', phone: 'side', cell: ({ role }) => role },
        {
          head: 'Scopes',
          width: 'minmax(10rem, 3fr)',
          phone: 'second',
          cell: ({ scopes }) => html`<span title=${scopes.join(', ')}>${scopes.join(', ')}</span>`,
        },
        { head: 'Made', width: '7rem', cell: ({ created_at }) => renderTime(created_at) },
        { head: 'By', width: 'minmax(6rem, 1fr)', cell: ({ created_by }) => renderText(created_by) },
        {
          head: 'Ends',
          width: '7rem',
          cell: ({ expires_at }) => (expires_at === undefined ? 'never' : renderTime(expires_at)),
        },
        { head: 'Actions', width: '7rem', phone: 'end', cell: (token) => this.renderRevoke(token) },
      ],
      empty: {
        sentence: 'No token was made at run time. Those of the settings are not listed.',
        command: 'openclaw tokens create --principal ci --role operator',
      },
    };
  }

  protected override renderTools(): TemplateResult | typeof nothing {
    return html`<console-token-form .app=${this.app} @made=${() => this.list?.read()}></console-token-form>`;
  }

  private renderRevoke(token: Token): TemplateResult {
    return html`<console-action
      .app=${this.app}
      look="quiet"
      scope="tokens:write"
      label="Revoke…"
      .run=${() => this.revoke(token)}
    ></console-action>`;
  }

  private async revoke({ id, principal, role, scopes, tenant }: Token): Promise<void> {
    const isAgreed = await this.app.act.ask({
      heading: `Revoke the token of ${principal}${showsAllTenants(this.app) ? ` of tenant ${tenant}` : ''}?`,
      effect: `1 token of role ${role} with ${formatCount(scopes.length)} scopes is refused from now on, and its connections end within 30 s.`,
      verb: 'Revoke',
    });
    if (!isAgreed) return;
    await this.app.api.delete(pathOf('tokens', id), this.app.me.isOfAllTenants ? { tenant } : {});
    this.list?.model.remove(id);
    this.app.act.say(`The token of ${principal} is revoked.`);
  }
}
