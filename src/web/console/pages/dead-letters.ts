import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import '../act.js';
import { pathOf } from '../api.js';
import type { ListModel } from '../list-model.js';
import type { LiveEvent } from '../live.js';
import './bulk-bar.js';
import type { BulkAction } from './bulk-bar.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderText, renderTime } from './parts.js';
import { tenantColumn } from './tenant-column.js';

/** A reply that did not reach its chat. */
interface DeadLetter {
  readonly id: number;
  readonly tenant: string;
  readonly channel: string;
  readonly chat: string;
  readonly reply_to: string;
  readonly text: string;
  readonly reason: string;
  readonly created_at: number;
}

/** Who got no answer, and why. */
@customElement('console-dead-letters')
export class ConsoleDeadLetters extends ListPage<DeadLetter> {
  private readonly bulk: readonly BulkAction[] = [
    {
      verb: 'Retry',
      done: 'sent again',
      question: (count) => `Send ${count} answers again?`,
      effect: (count) => `${count} answers are sent again. Some may arrive twice.`,
      warning: (count) => `Send ${count} again? Some may arrive twice`,
      work: (key) => this.retry(key),
    },
    {
      verb: 'Discard',
      done: 'discarded',
      question: (count) => `Discard ${count} answers?`,
      effect: (count) => `${count} answers are deleted. They will not be delivered.`,
      work: (key) => this.discard(key),
    },
  ];

  protected override describe(): ListDescription<DeadLetter> {
    return {
      title: 'Dead letters',
      load: (filters, signal) => this.app.api.get('/dead-letters', filters, signal),
      keyOf: ({ id }) => String(id),
      linkOf: ({ reply_to }) =>
        reply_to.startsWith('m_') ? this.app.router.link({ page: 'messages', ids: [reply_to] }) : undefined,
      canCheck: true,
      filters: [{ name: 'channel', label: 'Channel' }],
      columns: [
        {
          head: 'Answer',
          width: 'minmax(12rem, 3fr)',
          phone: 'main',
          cell: ({ text }) => renderText(text.split('\n', 1)[0]),
        },
        ...tenantColumn(this.app),
        { head: 'Channel', width: 'minmax(6rem, 1fr)', cell: ({ channel }) => renderText(channel) },
        { head: 'Chat', width: 'minmax(6rem, 1fr)', phone: 'second', cell: ({ chat }) => renderText(chat) },
        {
          head: 'Reason',
          width: 'minmax(10rem, 2fr)',
          cell: ({ reason }) => html`<span title=${toVisibleText(reason)}>${renderText(reason)}</span>`,
        },
        { head: 'Given up', width: '7rem', phone: 'side', cell: ({ created_at }) => renderTime(created_at) },
        { head: 'Actions', width: '11rem', phone: 'end', cell: (letter) => this.renderActions(letter) },
      ],
      empty: { sentence: 'Every answer has reached its chat.' },
      live: {
        kinds: ['dead_letter'],
        take: (event, model) => this.take(event, model),
      },
    };
  }

  private take({ row }: LiveEvent, model: ListModel<DeadLetter>): void {
    const key = String(row['id']);
    if (row['state'] === 'gone') model.remove(key);
    else if (!this.isOther(String(row['channel']))) model.announce(key);
  }

  private isOther(channel: string): boolean {
    const { channel: wanted = channel } = this.place.filters;
    return wanted !== channel;
  }

  protected override renderBelow(): TemplateResult {
    return html`<console-bulk
      .app=${this.app}
      .list=${this.list}
      label="Selected dead letters"
      .actions=${this.bulk}
    ></console-bulk>`;
  }

  private renderActions({ id, chat, channel }: DeadLetter): TemplateResult {
    const key = String(id);
    return html`<div class="row-actions">
      <console-action
        .app=${this.app}
        look="quiet"
        label="Retry"
        warning="Send again?"
        done="The answer is sent again."
        .run=${() => this.retry(key)}
      ></console-action>
      <console-action
        .app=${this.app}
        look="quiet"
        label="Discard…"
        .run=${async () => {
          const isAgreed = await this.app.act.ask({
            heading: 'Discard this answer?',
            effect: `1 answer to ${chat} on ${channel} is deleted. It will not be delivered.`,
            verb: 'Discard',
          });
          if (isAgreed) await this.discard(key);
        }}
      ></console-action>
    </div>`;
  }

  private async retry(key: string): Promise<void> {
    await this.app.api.post(`${pathOf('dead-letters', key)}/retry`);
    this.list?.model.remove(key);
  }

  private async discard(key: string): Promise<void> {
    await this.app.api.delete(pathOf('dead-letters', key));
    this.list?.model.remove(key);
  }
}
