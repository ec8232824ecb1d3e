import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import '../act.js';
import { pathOf } from '../api.js';
import { formatCount, formatDuration, formatTokens, NOTHING } from '../format.js';
import { ConsolePage } from '../page.js';
import { renderState } from '../state-chip.js';
import { renderMissing } from '../missing.js';
import { Loaded } from './loaded.js';
import type { Step, Usage } from './turn-bar.js';
import {
  renderFacts,
  renderMessageLink,
  renderPanel,
  renderRows,
  renderSection,
  renderSessionLink,
  renderText,
  renderTime,
} from './parts.js';

interface Delivery {
  readonly number: number;
  readonly state: string;
  readonly created_at: number;
  readonly ref?: string;
  readonly reason?: string;
}

/** The life of a message, as `GET /messages/REF` describes it. */
interface MessageLife {
  readonly message_ref: string;
  readonly message_id: string;
  readonly session_id: string;
  readonly channel: string;
  readonly agent: string;
  readonly sender: string;
  readonly principal: string;
  readonly client_id: string;
  readonly status: string;
  readonly priority: number;
  readonly received_at: number;
  readonly attempts: number;
  readonly content: string;
  readonly steps: readonly Step[];
  readonly end?: {
    readonly reason: string;
    readonly at: number;
    readonly code?: string;
    readonly message?: string;
    readonly merged_into?: string;
    readonly usage?: Usage;
  };
  readonly deliveries: readonly Delivery[];
  readonly superseded_by?: string;
}

const STEP_NAMES: Readonly<Record<string, string>> = {
  wait: 'Waited',
  model: 'Model',
  tool: 'Tool',
  approval: 'Waited for a person',
  delivery: 'Delivery',
};

/** Where a message is: what happened to it from its arrival to its deliveries. */
@customElement('console-messages')
export class ConsoleMessages extends ConsolePage {
  private readonly life = new Loaded<MessageLife>(this, (signal) =>
    this.app.api.get(pathOf('messages', this.ref), {}, signal),
  );
  private shownRef = '';

  private get ref(): string {
    return this.place.ids[0] ?? '';
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    if (this.ref === this.shownRef || this.ref === '') return;
    this.shownRef = this.ref;
    this.life.forget();
    void this.life.read();
  }

  protected override firstUpdated(): void {
    this.entitle('Message');
    this.follow(
      ['message', 'turn', 'tool', 'approval'],
      ({ row }) => {
        if (row['message_ref'] === this.ref) this.life.readSoon();
      },
      () => this.life.readSoon(),
    );
  }

  override read(): void {
    void this.life.read();
  }

  protected override render(): TemplateResult {
    return this.ref === '' ? renderMissing(this.app.router) : this.life.render((life) => this.renderLife(life));
  }

  private renderLife(life: MessageLife): TemplateResult {
    return html`<div class="thing">
      <div class="thing-head">
        ${renderState(life.status)}
        <span class="spring"></span>
        ${this.renderActions(life)}
      </div>
      <blockquote class="said">${renderText(life.content)}</blockquote>
      ${this.renderEnd(life)} ${renderPanel('Facts', this.renderFactsOf(life))}
      ${renderSection('Steps', this.renderSteps(life))} ${renderSection('Deliveries', this.renderDeliveries(life))}
    </div>`;
  }

  private renderActions({ status }: MessageLife): TemplateResult {
    const isOpen = status === 'queued' || status === 'running';
    return html`${
      isOpen
        ? html`<console-action
            .app=${this.app}
            label="Cancel"
            warning="Cancel it?"
            done="The message was cancelled."
            .run=${() => this.act('cancel')}
          ></console-action>`
        : nothing
    }${
      status === 'failed'
        ? html`<console-action
            .app=${this.app}
            label="Retry"
            warning="Tools may run again. Retry?"
            .run=${() => this.retry()}
          ></console-action>`
        : nothing
    }`;
  }

  private async act(verb: string): Promise<void> {
    await this.app.api.post(`${pathOf('messages', this.ref)}/${verb}`);
    await this.life.read();
  }

  private async retry(): Promise<void> {
    const { message_ref } = await this.app.api.post<{ message_ref: string }>(`${pathOf('messages', this.ref)}/retry`);
    this.app.act.say('It is sent again, as a message of its own.');
    this.app.router.go(this.app.router.link({ page: 'messages', ids: [message_ref] }));
  }

  private renderEnd({ end, superseded_by: supersededBy }: MessageLife): TemplateResult {
    return html`${
      end?.code === undefined
        ? nothing
        : html`<p class="trouble">${renderText(end.message)} <code>${end.code}</code></p>`
    }${
      supersededBy === undefined
        ? nothing
        : html`<p>A newer message supersedes it: ${renderMessageLink(this.app, supersededBy)}</p>`
    }${
      end?.merged_into === undefined
        ? nothing
        : html`<p>The reply to another message answers it too: ${renderMessageLink(this.app, end.merged_into)}</p>`
    }`;
  }

  private renderFactsOf(life: MessageLife): TemplateResult {
    const { end, received_at: receivedAt } = life;
    return renderFacts([
      ['Person', html`${renderText(life.sender)} · ${renderText(life.channel)}`],
      ['Conversation', renderSessionLink(this.app, life.session_id, life.message_ref)],
      ['Agent', life.agent],
      ['Received', renderTime(receivedAt, 'exact')],
      ['Ended', end ? renderTime(end.at, 'exact') : nothing],
      ['Took', end ? formatDuration(end.at - receivedAt) : nothing],
      ['Attempts', formatCount(life.attempts)],
      ['Tokens', end?.usage ? writeUsage(end.usage) : nothing],
      ['Priority', String(life.priority)],
      ['Sent by', html`${renderText(life.principal)} (${renderText(life.client_id)})`],
      ['Ref', html`<code>${life.message_ref}</code>`],
      ['ID of the client', html`<code>${renderText(life.message_id)}</code>`],
    ]);
  }

  private renderSteps({ steps }: MessageLife): TemplateResult {
    return renderRows<Step>(
      {
        label: 'Steps',
        keyOf: ({ kind, started_at, tool }) => `${kind} ${started_at} ${tool}`,
        columns: [
          { head: 'Step', width: 'minmax(8rem, 1fr)', phone: 'main', cell: ({ kind }) => STEP_NAMES[kind] ?? kind },
          {
            head: 'Tool',
            width: 'minmax(8rem, 1fr)',
            phone: 'second',
            cell: ({ tool }) => (tool === undefined ? NOTHING : html`<code>${renderText(tool)}</code>`),
          },
          { head: 'Began', width: '6rem', phone: 'end', cell: ({ started_at }) => renderTime(started_at, 'clock') },
          { head: 'Took', width: '7rem', isNumber: true, phone: 'side', cell: renderLength },
          { head: 'Decided by', width: 'minmax(6rem, 1fr)', cell: ({ decided_by }) => renderText(decided_by) },
          {
            head: 'Tokens',
            width: '9rem',
            isNumber: true,
            cell: ({ usage }) => (usage ? writeUsage(usage) : NOTHING),
          },
        ],
      },
      steps,
      'Nothing has happened to it yet.',
    );
  }

  private renderDeliveries({ deliveries }: MessageLife): TemplateResult {
    return renderRows<Delivery>(
      {
        label: 'Deliveries',
        keyOf: ({ number }) => String(number),
        columns: [
          { head: 'Part', width: '4rem', phone: 'main', cell: ({ number }) => `Part ${number + 1}` },
          { head: 'State', width: '7rem', phone: 'side', cell: ({ state }) => renderState(state) },
          { head: 'Since', width: '7rem', phone: 'end', cell: ({ created_at }) => renderTime(created_at) },
          { head: 'ID on the platform', width: 'minmax(7rem, 1fr)', cell: ({ ref }) => renderText(ref) },
          {
            head: 'Reason',
            width: 'minmax(9rem, 2fr)',
            phone: 'second',
            cell: ({ reason }) => html`<span title=${toVisibleText(reason ?? '')}>${renderText(reason)}</span>`,
          },
        ],
      },
      deliveries,
      'No channel of the gateway delivers its reply: the client that sent it reads the reply itself.',
    );
  }
}

/** Renders how long a step has taken, or takes until now. */
function renderLength({ kind, started_at: from, ended_at: to }: Step): unknown {
  if (to !== undefined) return formatDuration(to - from);
  return kind === 'delivery' ? NOTHING : renderTime(from, 'running');
}

function writeUsage({ input_tokens: input, output_tokens: output }: Usage): string {
  return `${formatTokens(input)} in · ${formatTokens(output)} out`;
}
