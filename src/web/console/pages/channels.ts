import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { formatCount, NOTHING } from '../format.js';
import type { LiveEvent } from '../live.js';
import type { ListModel } from '../list-model.js';
import type { ConsolePage } from '../page.js';
import { renderState } from '../state-chip.js';
import './channel.js';
import type { Channel } from './channel-row.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderText, renderTime } from './parts.js';

/** Which platforms are connected. */
@customElement('console-channels')
export class ConsoleChannels extends ListPage<Channel> {
  protected override describe(): ListDescription<Channel> {
    const { router } = this.app;
    return {
      title: 'Channels',
      load: (_query, signal) => this.app.api.get('/channels', {}, signal),
      keyOf: ({ name }) => name,
      linkOf: ({ name }) => router.link({ page: 'channels', ids: [name] }),
      columns: [
        { head: 'Channel', width: 'minmax(8rem, 1fr)', phone: 'main', cell: ({ name }) => renderText(name) },
        {
          head: 'State',
          width: 'minmax(8rem, 1fr)',
          phone: 'side',
          cell: ({ state }) => renderState(state),
        },
        {
          head: 'Reason',
          width: 'minmax(10rem, 2fr)',
          phone: 'second',
          cell: ({ reason }) =>
            reason === undefined ? NOTHING : html`<span title=${toVisibleText(reason)}>${renderText(reason)}</span>`,
        },
        { head: 'Since', width: '7rem', cell: ({ since }) => renderTime(since || undefined) },
        { head: 'Last in', width: '7rem', cell: ({ last_in_at }) => renderTime(last_in_at) },
        { head: 'Last out', width: '7rem', cell: ({ last_out_at }) => renderTime(last_out_at) },
        {
          head: 'Dead letters',
          width: '7rem',
          isNumber: true,
          cell: ({ name, dead_letters }) =>
            dead_letters === 0
              ? 0
              : html`<a class="own" href=${router.link({ page: 'dead-letters', filters: { channel: name } })}
                  >${formatCount(dead_letters)}</a
                >`,
        },
      ],
      empty: { sentence: 'No channel is set up.', command: 'openclaw channels add telegram' },
      live: { kinds: ['channel'], take },
    };
  }

  override read(): void {
    super.read();
    this.querySelector<ConsolePage>('console-channel')?.read();
  }

  protected override render(): TemplateResult {
    const [name] = this.place.ids;
    if (name === undefined) return super.render();
    return html`<console-channel .app=${this.app} .name=${name} .place=${this.place}></console-channel>`;
  }
}

function take({ row }: LiveEvent, model: ListModel<Channel>): void {
  const { name, state, since, dead_letters } = row as unknown as Channel;
  const reason = row['reason'] as string | undefined;
  model.change(name, ({ reason: _before, ...channel }) => ({
    ...channel,
    ...{ state, since, dead_letters },
    ...(reason !== undefined && { reason }),
  }));
}
