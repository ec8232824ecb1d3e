import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { icons } from '../../design/icons.js';
import { formatCount, NOTHING } from '../format.js';
import type { ConsolePage } from '../page.js';
import { renderChip, renderState } from '../state-chip.js';
import { ListPage, type ListDescription } from './list-page.js';
import './node.js';
import type { NodeDevice } from './node.js';
import './node-pairing.js';
import { renderText, renderTime } from './parts.js';
import { tenantColumn } from './tenant-column.js';

/** Which devices offer commands. */
@customElement('console-nodes')
export class ConsoleNodes extends ListPage<NodeDevice> {
  protected override describe(): ListDescription<NodeDevice> {
    return {
      title: 'Nodes',
      load: (query, signal) => this.app.api.get('/nodes', query, signal),
      keyOf: ({ id }) => id,
      linkOf: ({ id }) => this.app.router.link({ page: 'nodes', ids: [id] }),
      columns: [
        { head: 'Device', width: 'minmax(9rem, 2fr)', phone: 'main', cell: ({ name }) => renderText(name) },
        ...tenantColumn(this.app),
        { head: 'State', width: 'minmax(7rem, 1fr)', phone: 'side', cell: ({ state }) => renderState(state) },
        {
          head: 'Seen',
          width: '7rem',
          phone: 'end',
          cell: ({ state, last_seen_at }) => (state === 'connected' ? 'now' : renderTime(last_seen_at)),
        },
        { head: 'Platform', width: 'minmax(7rem, 1fr)', cell: ({ platform }) => renderText(platform) },
        {
          head: 'Commands',
          width: '6rem',
          isNumber: true,
          cell: ({ commands }) => formatCount(commands.filter(({ offered }) => offered).length),
        },
        { head: 'To decide', width: 'minmax(9rem, 2fr)', phone: 'second', cell: renderOpen },
      ],
      empty: { sentence: 'No device is paired.', command: 'openclaw nodes pair --name "Kitchen Mac"' },
      live: {
        kinds: ['node'],
        take: ({ row }, model) => {
          const id = String(row['node_id']);
          const isKnown = model.change(id, (node) => ({
            ...node,
            state: String(row['state']),
            name: String(row['name']),
          }));
          if (!isKnown) model.announce(id);
        },
      },
    };
  }

  protected override renderTools(): TemplateResult {
    return html`<console-node-pairing .app=${this.app} @paired=${() => this.list?.read()}></console-node-pairing>`;
  }

  override read(): void {
    super.read();
    this.querySelector<ConsolePage>('console-node')?.read();
  }

  protected override render(): TemplateResult {
    const [id] = this.place.ids;
    if (id === undefined) return super.render();
    return html`<console-node .app=${this.app} .nodeId=${id} .place=${this.place}></console-node>`;
  }
}

function renderOpen({ commands, warning }: NodeDevice): TemplateResult | string {
  if (warning !== undefined) return renderChip(icons.warning, 'warn', warning);
  const count = commands.filter(({ waiting }) => waiting !== undefined).length;
  if (count === 0) return NOTHING;
  return renderChip(icons.asks, 'held', count === 1 ? '1 changed command' : `${count} changed commands`);
}
