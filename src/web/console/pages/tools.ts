import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { pathOf } from '../api.js';
import type { ConsolePage } from '../page.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderText } from './parts.js';
import { renderToggle } from './toggle.js';
import './tool.js';
import type { Tool } from './tool.js';

/** The services for changing a tool: the switches are settings. */
const SCOPES = ['admin:write', 'config:write'];

/** The tools of the agents. */
@customElement('console-tools')
export class ConsoleTools extends ListPage<Tool> {
  protected override describe(): ListDescription<Tool> {
    return {
      title: 'Tools',
      load: (query, signal) => this.app.api.get('/tools', query, signal),
      keyOf: ({ name }) => name,
      linkOf: ({ name }) => this.app.router.link({ page: 'tools', ids: [name] }),
      columns: [
        {
          head: 'Tool',
          width: 'minmax(9rem, 1fr)',
          phone: 'main',
          cell: ({ name }) => html`<code>${renderText(name)}</code>`,
        },
        {
          head: 'What it does',
          width: 'minmax(12rem, 3fr)',
          phone: 'second',
          cell: ({ description }) => html`<span title=${toVisibleText(description)}>${renderText(description)}</span>`,
        },
        {
          head: 'Permissions',
          width: 'minmax(7rem, 1fr)',
          cell: ({ permissions }) => renderText(permissions.join(', ')),
        },
        { head: 'Asks a person', width: '7rem', cell: (tool) => this.renderApproval(tool) },
        { head: 'On', width: '4rem', phone: 'side', cell: (tool) => this.renderEnabled(tool) },
      ],
      empty: { sentence: 'No tool is registered.' },
      live: { kinds: ['config'], take: (_event, model) => void model.read() },
    };
  }

  override read(): void {
    super.read();
    this.querySelector<ConsolePage>('console-tool')?.read();
  }

  protected override render(): TemplateResult {
    const [name] = this.place.ids;
    if (name === undefined) return super.render();
    return html`<console-tool .app=${this.app} .name=${name} .place=${this.place}></console-tool>`;
  }

  private renderEnabled({ name, enabled }: Tool): TemplateResult {
    return renderToggle(this.app, {
      label: `${name} is on`,
      isOn: enabled,
      scopes: SCOPES,
      change: (isOn) => this.change(name, { enabled: isOn }),
      done: (isOn) => (isOn ? `${name} is on.` : `${name} is off: no agent may call it.`),
    });
  }

  private renderApproval({ name, needs_approval }: Tool): TemplateResult {
    return renderToggle(this.app, {
      label: `${name} asks a person`,
      isOn: needs_approval,
      scopes: SCOPES,
      change: (isOn) => this.change(name, { needs_approval: isOn }),
      done: (isOn) => (isOn ? `A person decides on each call of ${name}.` : `${name} runs without a decision.`),
    });
  }

  private async change(name: string, change: object): Promise<void> {
    const tool = await this.app.api.patch<Tool>(pathOf('tools', name), change);
    this.list?.model.change(name, () => tool);
  }
}
