import './overview.css';
import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { icons } from '../../design/icons.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import { ApiError } from '../api.js';
import { describeError } from '../failure.js';
import { formatClock, formatCount, formatDuration, formatRelative, NOTHING } from '../format.js';
import { settings } from '../own-settings.js';
import { ConsolePage } from '../page.js';
import { Refresher } from '../refresher.js';
import { renderSparkline } from '../sparkline.js';
import { renderState } from '../state-chip.js';
import type { Minute, StatusAnswer } from '../status.js';
import { renderTable, type TableSource } from '../table.js';
import { consoleTexts } from '../texts.js';
import { ticks } from '../ticker.js';
import { stateOfTurn, type TurnRow } from './activity.js';
import { overviewTexts as texts } from './overview.texts.js';
import { renderText } from './parts.js';
import { listTroubles, type Trouble, type WaitingApproval } from './troubles.js';

/** A channel, as `GET /channels` lists it. */
interface ChannelRow {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly last_in_at?: number;
  readonly last_out_at?: number;
  readonly dead_letters: number;
}

/** Interval between two reads that events cause, in milliseconds. */
const READ_INTERVAL_MS = 1_000;

/** The time that the figures are of, in milliseconds. */
const HOUR_MS = 3_600_000;

/** The overview: warnings first, each with its remedy, then four numbers, and the running turns. */
@customElement('console-overview')
export class ConsoleOverview extends ConsolePage {
  @state() private turns: readonly TurnRow[] | undefined;
  /** Undefined for an operator who may not see them. */
  @state() private channels: readonly ChannelRow[] | undefined;
  @state() private approvals: readonly WaitingApproval[] = [];
  @state() private error: unknown;
  private readonly refresher = new Refresher(
    () => this.readParts(),
    READ_INTERVAL_MS,
    // The row under a pointer stays where it is.
    () => this.querySelector('.table:hover, .table:focus-within') !== null,
  );

  override connectedCallback(): void {
    super.connectedCallback();
    const { status } = this.app;
    this.stops.push(
      () => this.refresher.stop(),
      status.changed.subscribe(() => this.requestUpdate()),
      ticks.subscribe(() => this.requestUpdate()),
    );
    this.follow(
      ['turn', 'tool', 'approval', 'channel', 'dead_letter'],
      this.refresher.ask,
      () => void this.readParts(),
    );
    void this.readParts();
  }

  override read(): void {
    void this.readParts();
    void this.app.status.read();
  }

  protected override updated(): void {
    if (this.app.status.answer) this.entitle(texts.heading(this.listTroubles().length));
  }

  protected override render(): TemplateResult {
    const { answer, error } = this.app.status;
    const failure = this.error ?? error;
    return html`${failure === undefined ? nothing : this.renderFailure(failure)}
    ${answer ? html`${this.renderTroubles()}${renderFigures(answer, this.app.status.startedAt)}` : nothing}
    ${this.turns ? this.renderTurns(this.turns) : nothing}${this.channels ? this.renderChannels(this.channels) : nothing}`;
  }

  private async readParts(): Promise<void> {
    const { api } = this.app;
    try {
      const [turns, approvals, channels] = await Promise.all([
        api.page<TurnRow>('/turns', { limit: 50 }),
        api.page<WaitingApproval>('/approvals', { limit: 50 }),
        api.page<ChannelRow>('/channels', {}).catch(ignoreForbidden),
      ]);
      this.turns = [...turns.items].sort((a, b) => a.since - b.since);
      this.approvals = approvals.items;
      this.channels = channels?.items;
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
  }

  private listTroubles(): readonly Trouble[] {
    return listTroubles(this.app.status.answer?.warnings ?? [], this.approvals, this.app.me);
  }

  private renderFailure(error: unknown): TemplateResult {
    return html`<div class="trouble" role="alert">
      <p>${describeError(error)}</p>
      <button type="button" class="plain" @click=${() => this.read()}>${consoleTexts.list.tryAgain}</button>
    </div>`;
  }

  private renderTroubles(): TemplateResult {
    const troubles = this.listTroubles();
    if (troubles.length === 0) return html`<p class="panel quiet-note">${icons.done}<span>${texts.quiet}</span></p>`;
    return html`<ul class="panel troubles" aria-label=${texts.troubles}>
      ${repeat(troubles, keyOfTrouble, (trouble, i) => this.renderTrouble(trouble, i === 0))}
    </ul>`;
  }

  private renderTrouble(trouble: Trouble, isFirst: boolean): TemplateResult {
    const { icon, tone, sentence, detail, button } = describeTrouble(trouble);
    return html`<li>
      <span class="state ${tone}">${icon}</span>
      <div>
        <p class="sentence" dir="auto">${toVisibleText(sentence)}</p>
        <p class="faint">${detail}</p>
      </div>
      ${
        trouble.place
          ? html`<a class=${isFirst ? 'main' : 'plain'} href=${this.app.router.link(trouble.place)}>${button}</a>`
          : nothing
      }
    </li>`;
  }

  private renderTurns(turns: readonly TurnRow[]): TemplateResult {
    return html`<section class="section">
      <h2>${texts.running}</h2>
      ${turns.length === 0 ? html`<p class="faint">${texts.noneRunning}</p>` : renderTable(this.describeTurns(), turns)}
    </section>`;
  }

  private describeTurns(): TableSource<TurnRow> {
    const { columns, steps } = texts;
    const { router } = this.app;
    return {
      label: texts.running,
      keyOf: ({ message_ref: ref }) => ref,
      linkOf: ({ session_id: id, message_ref: ref }) => router.link({ page: 'sessions', ids: [id], fragment: ref }),
      columns: [
        {
          head: columns.conversation,
          width: 'minmax(8rem, 3fr)',
          phone: 'main',
          cell: ({ sender, channel }) => html`${renderText(sender)} · ${renderText(channel)}`,
        },
        { head: columns.step, width: '5rem', phone: 'second', cell: ({ step }) => steps[step] },
        {
          head: columns.tool,
          width: 'minmax(6rem, 2fr)',
          cell: ({ tool }) => (tool === undefined ? NOTHING : html`<code>${renderText(tool)}</code>`),
        },
        {
          head: columns.running,
          width: '7rem',
          isNumber: true,
          phone: 'end',
          cell: ({ since }) => html`<console-time as="running" .at=${since}></console-time>`,
        },
        {
          head: columns.state,
          width: '7rem',
          phone: 'side',
          cell: (turn) => renderState(stateOfTurn(turn, gatewayClock.now())),
        },
      ],
    };
  }

  private renderChannels(channels: readonly ChannelRow[]): TemplateResult {
    return html`<section class="section">
      <h2>${texts.channels}</h2>
      ${
        channels.length === 0
          ? html`<p class="faint">${texts.noChannels}</p>`
          : renderTable(this.describeChannels(), channels)
      }
    </section>`;
  }

  private describeChannels(): TableSource<ChannelRow> {
    const { columns } = texts;
    const time = (at: number | undefined) => html`<console-time .at=${at}></console-time>`;
    return {
      label: texts.channels,
      keyOf: ({ name }) => name,
      linkOf: ({ name }) => this.app.router.link({ page: 'channels', ids: [name] }),
      columns: [
        { head: columns.channel, width: 'minmax(6rem, 2fr)', phone: 'main', cell: ({ name }) => name },
        {
          head: columns.state,
          width: 'minmax(7rem, 2fr)',
          phone: 'side',
          cell: (channel) => renderState(channel.state),
        },
        { head: columns.lastIn, width: 'minmax(5rem, 1fr)', phone: 'second', cell: ({ last_in_at: at }) => time(at) },
        { head: columns.lastOut, width: 'minmax(5rem, 1fr)', cell: ({ last_out_at: at }) => time(at) },
        {
          head: columns.deadLetters,
          width: '6rem',
          isNumber: true,
          phone: 'end',
          cell: ({ dead_letters: count }) => formatCount(count),
        },
      ],
    };
  }
}

/** Channels belong to the whole gateway: not every operator may see them. */
function ignoreForbidden(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 403) return undefined;
  throw error;
}

function keyOfTrouble(trouble: Trouble): string {
  return trouble.kind === 'approvals'
    ? 'approvals'
    : `${trouble.warning.code} ${trouble.warning.link} ${trouble.warning.sentence}`;
}

/** Describes a trouble: what is wrong, since when or until when, and the word on its button. */
function describeTrouble(trouble: Trouble) {
  const now = gatewayClock.now();
  if (trouble.kind === 'approvals') {
    const { count, first } = trouble;
    return {
      icon: icons.asks,
      tone: 'held',
      sentence: texts.approvals(count),
      detail: texts.approvalsDetail(toVisibleText(first.tool), formatRelative(first.expires_at, now)),
      button: texts.buttons['APPROVALS'],
    };
  }
  const { code, severity, sentence, since } = trouble.warning;
  return {
    icon: severity === 'error' ? icons.failed : icons.warning,
    tone: severity === 'error' ? 'bad' : 'warn',
    sentence,
    detail: html`${texts.since} <console-time as="clock" .at=${since}></console-time> (${formatDuration(now - since)})`,
    button: texts.buttons[code] ?? texts.show,
  };
}

/** Renders the four numbers of the last hour, each with its course. The gateway counts in memory: from its start on. */
function renderFigures({ minutes, counts: { waiting } }: StatusAnswer, startedAt: number): TemplateResult {
  const { messages, waiting: waits, firstWords, failed } = texts.figures;
  const sum = (read: (minute: Minute) => number) => minutes.reduce((total, minute) => total + read(minute), 0);
  const delays = minutes.map(({ first_block_p95_ms: ms }) => ms);
  const known = delays.filter((ms) => ms !== undefined);
  return html`<section class="section">
    <h2>${namePeriod(startedAt)}</h2>
    <div class="figures">
      ${renderFigure(
        messages,
        formatCount(sum((minute) => minute.messages)),
        minutes.map((minute) => minute.messages),
      )}
      ${renderFigure(
        waits,
        formatCount(waiting),
        minutes.map((minute) => minute.waiting),
      )}
      ${renderFigure(firstWords, formatDuration(known[known.length - 1]), delays, formatDuration)}
      ${renderFigure(
        failed,
        formatCount(sum((minute) => minute.failed)),
        minutes.map((minute) => minute.failed),
      )}
    </div>
  </section>`;
}

/** Names the time that the figures are of: the last hour, or from the start on if that is later. */
function namePeriod(startedAt: number): string {
  if (gatewayClock.now() - startedAt >= HOUR_MS) return texts.lastHour;
  return texts.sinceStart(formatClock(startedAt, settings.zone).slice(0, 5));
}

function renderFigure(
  name: string,
  figure: string,
  course: readonly (number | undefined)[],
  write: (value: number | undefined) => string = formatCount,
): TemplateResult {
  const known = course.filter((value) => value !== undefined);
  const [first, last, most] = [known[0] ?? 0, known[known.length - 1] ?? 0, Math.max(0, ...known)];
  return html`<div class="panel figure">
    <p><span class="faint">${name}</span><strong>${figure}</strong></p>
    ${renderSparkline(course, texts.trend(name, write(first), write(last), write(most)))}
  </div>`;
}
