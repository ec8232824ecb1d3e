import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '../act.js';
import { pathOf } from '../api.js';
import { formatCount } from '../format.js';
import type { ListModel } from '../list-model.js';
import type { LiveEvent } from '../live.js';
import { runBulk, type BulkProgress } from './bulk.js';
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
  @state() private progress: BulkProgress | undefined;
  private stopBulk: AbortController | undefined;

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
          cell: ({ reason }) => html`<span title=${reason}>${renderText(reason)}</span>`,
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

  protected override renderBelow(): TemplateResult | typeof nothing {
    const checked = [...(this.list?.checked ?? [])];
    if (this.progress) return this.renderProgress(this.progress);
    if (checked.length === 0) return nothing;
    const count = formatCount(checked.length);
    return html`<div class="bulk" role="region" aria-label="Selected dead letters">
      <span>${count} selected</span>
      <console-action
        .app=${this.app}
        label="Retry ${count}"
        warning="Send ${count} again? Some may arrive twice"
        .run=${() => this.retryAll(checked)}
      ></console-action>
      <console-action
        .app=${this.app}
        look="danger"
        label="Discard ${count}…"
        .run=${() => this.discardAll(checked)}
      ></console-action>
      <button type="button" class="quiet" @click=${() => this.list?.uncheck()}>Select none</button>
    </div>`;
  }

  private renderProgress({ done, total }: BulkProgress): TemplateResult {
    return html`<div class="bulk" role="status">
      <progress max=${total} value=${done} aria-label="Progress"></progress>
      <span>${formatCount(done)} of ${formatCount(total)}</span>
      <button type="button" class="plain" @click=${() => this.stopBulk?.abort()}>Stop</button>
    </div>`;
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

  private retryAll(keys: readonly string[]): Promise<void> {
    return this.runAll(keys, 'sent again', (key) => this.retry(key));
  }

  private async discardAll(keys: readonly string[]): Promise<void> {
    const isAgreed = await this.app.act.ask({
      heading: `Discard ${formatCount(keys.length)} answers?`,
      effect: `${formatCount(keys.length)} answers are deleted: those that were selected, and none that came later.`,
      verb: 'Discard',
      typed: String(keys.length),
    });
    if (isAgreed) await this.runAll(keys, 'discarded', (key) => this.discard(key));
  }

  private async runAll(keys: readonly string[], verb: string, work: (key: string) => Promise<void>): Promise<void> {
    const { signal } = (this.stopBulk = new AbortController());
    this.progress = { done: 0, total: keys.length, failures: new Map() };
    const { done, failures } = await runBulk(keys, work, (progress) => (this.progress = progress), signal);
    this.progress = undefined;
    this.list?.uncheck();
    const failed = failures.size === 0 ? '' : `; ${formatCount(failures.size)} failed`;
    this.app.act.say(`${formatCount(done - failures.size)} of ${formatCount(keys.length)} ${verb}${failed}.`);
  }
}
