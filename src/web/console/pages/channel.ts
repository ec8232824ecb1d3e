import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import '../act.js';
import { pathOf, type Page } from '../api.js';
import { formatCount } from '../format.js';
import { ConsolePage } from '../page.js';
import { renderState } from '../state-chip.js';
import type { Channel } from './channel-row.js';
import { findItem, Loaded } from './loaded.js';
import { renderFacts, renderPanel, renderRows, renderSection, renderText, renderTime } from './parts.js';

/** A sender who asks to be let in. */
interface Pairing {
  readonly sender: string;
  readonly code: string;
  readonly asked_at: number;
  readonly expires_at: number;
}

/** A sender who was let in by a code. */
interface Sender {
  readonly sender: string;
  readonly approved_at: number;
}

/** One channel: whether it is connected, and who may write to it. */
@customElement('console-channel')
export class ConsoleChannel extends ConsolePage {
  @property() name = '';
  private readonly channel = new Loaded<Channel>(this, (signal) =>
    findItem(
      () => this.app.api.get<Page<Channel>>('/channels', {}, signal),
      ({ name }) => name === this.name,
    ),
  );
  private readonly pairings = new Loaded<Page<Pairing>>(this, (signal) =>
    this.app.api.get(`${this.path}/pairings`, {}, signal),
  );
  private readonly senders = new Loaded<Page<Sender>>(this, (signal) =>
    this.app.api.get(`${this.path}/senders`, {}, signal),
  );

  private get path(): string {
    return pathOf('channels', this.name);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('name')) this.read();
  }

  protected override firstUpdated(): void {
    this.follow(
      ['channel'],
      ({ row }) => {
        if (row['name'] === this.name) this.channel.readSoon();
      },
      () => this.read(),
    );
  }

  protected override updated(): void {
    this.entitle(this.name);
  }

  override read(): void {
    for (const part of [this.channel, this.pairings, this.senders]) void part.read();
  }

  protected override render(): TemplateResult {
    return this.channel.render(
      (channel) =>
        html`<div class="thing">
          <div class="thing-head">
            ${renderState(channel.state)}
            <span class="spring"></span>
            ${this.renderActions(channel)}
          </div>
          ${channel.reason === undefined ? nothing : html`<p class="trouble">${renderText(channel.reason)}</p>`}
          ${renderPanel('Facts', this.renderFactsOf(channel))}
          ${renderSection(
            'People who wait to be let in',
            this.pairings.render(({ items }) => this.renderPairings(items)),
          )}
          ${renderSection(
            'People who were let in by a code',
            this.senders.render(({ items }) => this.renderSenders(items)),
          )}
        </div>`,
    );
  }

  private renderFactsOf(channel: Channel): TemplateResult {
    const { router } = this.app;
    const { turned_away: turnedAway, lost_replies: lost, lost_reason: lostReason } = channel;
    return renderFacts([
      ['In this state', renderTime(channel.since || undefined)],
      ['Last message in', renderTime(channel.last_in_at)],
      ['Last message out', renderTime(channel.last_out_at)],
      [
        'Dead letters',
        html`<a href=${router.link({ page: 'dead-letters', filters: { channel: channel.name } })}
          >${formatCount(channel.dead_letters)}</a
        >`,
      ],
      ['Turned away since the start', turnedAway === undefined ? nothing : formatCount(turnedAway)],
      [
        'Replies without a place',
        lost === undefined ? nothing : html`${formatCount(lost)}, the newest because of ${renderText(lostReason)}`,
      ],
    ]);
  }

  private renderActions({ state }: Channel): TemplateResult {
    if (state === 'stopped')
      return html`<console-action
        .app=${this.app}
        look="main"
        label="Start"
        done="The channel starts."
        .run=${() => this.change('start')}
      ></console-action>`;
    return html`<console-action
        .app=${this.app}
        label="Restart"
        warning="Restart it?"
        done="The channel starts again."
        .run=${() => this.change('restart')}
      ></console-action>
      <console-action .app=${this.app} label="Stop…" .run=${() => this.stop(state)}></console-action>`;
  }

  private async change(verb: 'start' | 'stop' | 'restart'): Promise<void> {
    this.channel.take(await this.app.api.post<Channel>(`${this.path}/${verb}`));
  }

  private async stop(state: string): Promise<void> {
    const isAgreed =
      state !== 'connected' ||
      (await this.app.act.ask({
        heading: `Stop ${this.name}?`,
        effect:
          'Until it is started again, messages of people wait at the platform, and 0 answers go out. A restart of the gateway starts it too.',
        verb: 'Stop',
      }));
    if (!isAgreed) return;
    await this.change('stop');
    this.app.act.say('The channel is stopped.');
  }

  private renderPairings(items: readonly Pairing[]): TemplateResult {
    return renderRows<Pairing>(
      {
        label: 'People who wait to be let in',
        keyOf: ({ code }) => code,
        columns: [
          { head: 'Person', width: 'minmax(8rem, 2fr)', phone: 'main', cell: ({ sender }) => renderText(sender) },
          { head: 'Code', width: '8rem', phone: 'second', cell: ({ code }) => html`<code>${code}</code>` },
          { head: 'Asked', width: '7rem', cell: ({ asked_at }) => renderTime(asked_at) },
          { head: 'Ends', width: '7rem', phone: 'side', cell: ({ expires_at }) => renderTime(expires_at) },
          {
            head: 'Actions',
            width: '9rem',
            phone: 'end',
            cell: ({ sender, code }) =>
              html`<console-action
                .app=${this.app}
                look="quiet"
                label="Let in"
                warning="Let in ${sender}?"
                done="${sender} was let in."
                .run=${() => this.approve(code)}
              ></console-action>`,
          },
        ],
      },
      items,
      'No sender is waiting.',
    );
  }

  private async approve(code: string): Promise<void> {
    await this.app.api.post(`${this.path}/pairings${pathOf(code)}/approve`);
    this.read();
  }

  private renderSenders(items: readonly Sender[]): TemplateResult {
    return renderRows<Sender>(
      {
        label: 'People who were let in by a code',
        keyOf: ({ sender }) => sender,
        columns: [
          { head: 'Person', width: 'minmax(8rem, 2fr)', phone: 'main', cell: ({ sender }) => renderText(sender) },
          { head: 'Let in', width: '7rem', phone: 'second', cell: ({ approved_at }) => renderTime(approved_at) },
          {
            head: 'Actions',
            width: '9rem',
            phone: 'end',
            cell: ({ sender }) =>
              html`<console-action
                .app=${this.app}
                look="quiet"
                label="Put out…"
                .run=${() => this.putOut(sender)}
              ></console-action>`,
          },
        ],
      },
      items,
      'No sender was admitted by a code.',
    );
  }

  private async putOut(sender: string): Promise<void> {
    const isAgreed = await this.app.act.ask({
      heading: `Put ${sender} out?`,
      effect: `1 person cannot write to ${this.name} any more, until they ask again and a new code is approved.`,
      verb: 'Put out',
    });
    if (!isAgreed) return;
    await this.app.api.delete(`${this.path}/senders${pathOf(sender)}`);
    this.read();
  }
}
