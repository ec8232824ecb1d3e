import { html, nothing, type TemplateResult } from 'lit';
import { customElement, query } from 'lit/decorators.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import '../act.js';
import { pathOf, type Page, type Query } from '../api.js';
import { formatDuration, NOTHING } from '../format.js';
import '../list.js';
import type { Column, ConsoleList, ListSource } from '../list.js';
import type { LiveEvent } from '../live.js';
import { renderState } from '../state-chip.js';
import './bulk-bar.js';
import type { BulkAction } from './bulk-bar.js';
import { ListPage, type ListDescription } from './list-page.js';
import { renderMessageLink, renderSessionLink, renderText, renderTime } from './parts.js';
import { end, follow, type Ended, type MayEnd, type WaitingRow } from './queue-rows.js';
import { tenantColumn } from './tenant-column.js';

/** A waiting message, with the time at which it was received. */
interface Waiting extends WaitingRow {
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  readonly priority: number;
  readonly age_ms: number;
  /** Unix milliseconds. */
  readonly received_at: number;
}

/** A running turn. */
interface Turn extends MayEnd {
  readonly message_ref: string;
  readonly session_id: string;
  readonly tenant: string;
  readonly channel: string;
  readonly sender: string;
  readonly agent: string;
  readonly attempt: number;
  readonly since: number;
  readonly step: string;
  readonly tool?: string;
}

/** The column with the sender of a message that waits or runs. */
const SENDER: Column<{ readonly sender: string; readonly channel: string }> = {
  head: 'Message of',
  width: 'minmax(9rem, 2fr)',
  phone: 'main',
  cell: ({ sender, channel }) => renderPerson(sender, channel),
};

/** The running turns, and the messages that wait behind them. */
@customElement('console-queue')
export class ConsoleQueue extends ListPage<Waiting> {
  @query('console-list.running') private readonly running!: ConsoleList<Turn> | null;
  @query('console-list:not(.running)') private readonly waiting!: ConsoleList<Waiting> | null;
  private turns: ListSource<Turn> | undefined;
  private readonly cancelRunning = this.describeCancel('turns', 'running');
  private readonly cancelWaiting = this.describeCancel('messages', 'waiting');

  /** The list that has the focus; else the running turns, if there are any. */
  override get list(): ConsoleList | null {
    const { running, waiting } = this;
    if (waiting?.contains(document.activeElement)) return waiting;
    const hasFocus = running?.contains(document.activeElement) ?? false;
    return hasFocus || (running?.model.rows.length ?? 0) > 0 ? running : waiting;
  }

  protected override describe(): ListDescription<Waiting> {
    const { router } = this.app;
    return {
      title: 'Queue',
      load: (filters, signal) => this.loadWaiting(filters, signal),
      keyOf: ({ message_ref }) => message_ref,
      linkOf: ({ message_ref }) => router.link({ page: 'messages', ids: [message_ref] }),
      canCheck: true,
      filters: [{ name: 'session_id', label: 'Conversation' }],
      columns: [
        SENDER,
        ...tenantColumn(this.app),
        {
          head: 'Conversation',
          width: 'minmax(8rem, 1fr)',
          cell: ({ session_id }) => renderSessionLink(this.app, session_id),
        },
        { head: 'Place', width: '4rem', isNumber: true, cell: ({ position }) => position + 1 },
        { head: 'Priority', width: '5rem', isNumber: true, cell: ({ priority }) => priority },
        {
          head: 'Waiting',
          width: 'minmax(6rem, 1fr)',
          isNumber: true,
          phone: 'side',
          cell: ({ received_at, ended }) => renderAge(received_at, ended),
        },
        {
          head: 'Behind',
          width: 'minmax(8rem, 1fr)',
          phone: 'second',
          cell: ({ running_ref }) => (running_ref === undefined ? NOTHING : renderMessageLink(this.app, running_ref)),
        },
        {
          head: 'Actions',
          width: '7rem',
          phone: 'end',
          cell: ({ message_ref, ended }) => (ended ? renderState(ended.state) : this.renderCancel(message_ref)),
        },
      ],
      empty: { sentence: 'No message waits.' },
      live: { kinds: ['message', 'turn', 'tool'], take: (event) => this.take(event) },
    };
  }

  private describeTurns(): ListSource<Turn> {
    return {
      label: 'Running turns',
      load: (cursor, signal) => this.app.api.page('/turns', {}, cursor, signal),
      keyOf: ({ message_ref }) => message_ref,
      linkOf: ({ message_ref }) => this.app.router.link({ page: 'messages', ids: [message_ref] }),
      canCheck: true,
      columns: [
        SENDER,
        ...tenantColumn(this.app),
        {
          head: 'State',
          width: 'minmax(7rem, 1fr)',
          phone: 'side',
          cell: ({ step, ended }) => renderState(ended?.state ?? step),
        },
        {
          head: 'Tool',
          width: 'minmax(6rem, 1fr)',
          phone: 'second',
          cell: ({ tool }) => (tool === undefined ? NOTHING : html`<code>${renderText(tool)}</code>`),
        },
        { head: 'Attempt', width: '5rem', isNumber: true, cell: ({ attempt }) => attempt },
        {
          head: 'Running',
          width: 'minmax(6rem, 1fr)',
          isNumber: true,
          cell: ({ since, ended }) => renderAge(since, ended),
        },
        {
          head: 'Actions',
          width: '7rem',
          phone: 'end',
          cell: ({ message_ref, ended }) => (ended ? nothing : this.renderCancel(message_ref)),
        },
      ],
      empty: { sentence: 'No turn runs now.' },
    };
  }

  protected override render(): TemplateResult {
    this.turns ??= this.describeTurns();
    return html`<section class="section half">
        <h2>Running now</h2>
        <console-list class="running" .source=${this.turns} @check=${() => this.requestUpdate()}></console-list>
        <console-bulk
          .app=${this.app}
          .list=${this.running}
          label="Selected turns"
          .actions=${this.cancelRunning}
        ></console-bulk>
      </section>
      <section class="section rest">
        <h2>Waiting</h2>
        ${super.render()}
      </section>`;
  }

  protected override renderBelow(): TemplateResult {
    return html`<console-bulk
      .app=${this.app}
      .list=${this.waiting}
      label="Selected messages"
      .actions=${this.cancelWaiting}
    ></console-bulk>`;
  }

  /** @param things what is cancelled @param state what they do */
  private describeCancel(things: string, state: string): readonly BulkAction[] {
    return [
      {
        verb: 'Cancel',
        done: 'cancelled',
        question: (count) => `Cancel ${count} ${state} ${things}?`,
        effect: (count) => `${count} messages get no answer.`,
        work: (ref) => this.cancel(ref),
      },
    ];
  }

  override read(): void {
    this.running?.read();
    this.waiting?.read();
  }

  private async loadWaiting(filters: Query, signal: AbortSignal): Promise<Page<Waiting>> {
    const page = await this.app.api.get<Page<Omit<Waiting, 'received_at'>>>('/queue', filters, signal);
    const now = gatewayClock.now();
    return { ...page, items: page.items.map((item) => ({ ...item, received_at: now - item.age_ms })) };
  }

  private take({ kind, row }: LiveEvent): void {
    const [waiting, running] = [this.waiting?.model, this.running?.model];
    const ref = String(row['message_ref']);
    const state = String(row['state']);
    if (kind === 'tool') {
      const step = { step: stepOf(state), tool: String(row['tool']) };
      return running?.whenRead(() => running.change(ref, (turn) => ({ ...turn, ...step })));
    }
    if (kind === 'message' && state === 'queued') return waiting?.whenRead(() => waiting.announce(ref));
    const isRunning = kind === 'turn' && state === 'running';
    this.settle(ref, state, isRunning);
    if (isRunning) running?.whenRead(() => running.announce(ref));
  }

  /** Shows the end of a message where it is: it waits no more, and does not run either unless it has just begun to. */
  private settle(ref: string, state: string, isRunning = false): void {
    const [waiting, running] = [this.waiting?.model, this.running?.model];
    const ended: Ended = { state, at: gatewayClock.now() };
    waiting?.whenRead(() => {
      waiting.changeAll((rows) => follow(rows, ref, ended));
      waiting.remove(ref);
    });
    if (isRunning) return;
    running?.whenRead(() => {
      running.change(ref, (turn) => end(turn, ended));
      running.remove(ref);
    });
  }

  private async cancel(ref: string): Promise<void> {
    await this.app.api.post(`${pathOf('messages', ref)}/cancel`);
    this.settle(ref, 'cancelled');
  }

  private renderCancel(ref: string): TemplateResult {
    return html`<console-action
      .app=${this.app}
      look="quiet"
      label="Cancel"
      warning="Cancel it?"
      done="The message was cancelled."
      .run=${() => this.cancel(ref)}
    ></console-action>`;
  }
}

/** The step of a turn while a tool call has a status. */
function stepOf(status: string): string {
  if (status === 'awaiting_approval') return 'approval';
  return status === 'requested' || status === 'running' || status === 'progress' ? 'tool' : 'model';
}

/** Renders for how long something has waited or run: until now, or until its end. */
function renderAge(since: number, ended: Ended | undefined): TemplateResult {
  return ended ? html`${formatDuration(Math.max(0, ended.at - since))}` : renderTime(since, 'running');
}

function renderPerson(sender: string, channel: string): TemplateResult {
  return html`${renderText(sender)} · ${renderText(channel)}`;
}
