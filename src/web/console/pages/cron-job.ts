import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '../act.js';
import { pathOf, type Page } from '../api.js';
import { formatCount, formatDuration, formatExact, NOTHING } from '../format.js';
import { settings } from '../own-settings.js';
import { ConsolePage } from '../page.js';
import { describeState, renderState } from '../state-chip.js';
import './cron-form.js';
import { renderJobState, type Chat, type Job, type Run } from './job.js';
import { Loaded } from './loaded.js';
import {
  renderFacts,
  renderMessageLink,
  renderPanel,
  renderRows,
  renderSection,
  renderText,
  renderTime,
} from './parts.js';

/** Runs that are shown, and due times. */
const MAX_RUNS = 20;
const MAX_NEXT = 3;

/** One job: whether it ran, and when it runs next. */
@customElement('console-cron-job')
export class ConsoleCronJob extends ConsolePage {
  @property() jobId = '';
  @state() private isEditing = false;
  private readonly job = new Loaded<Job>(
    this,
    (signal) => this.app.api.get(this.path, {}, signal),
    ({ name }) => this.entitle(name),
  );
  private readonly runs = new Loaded<Page<Run>>(this, (signal) =>
    this.app.api.get(`${this.path}/runs`, { limit: MAX_RUNS }, signal),
  );

  private get path(): string {
    return pathOf('cron', 'jobs', this.jobId);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('jobId')) this.read();
  }

  protected override firstUpdated(): void {
    this.entitle('Job');
    this.follow(
      ['cron', 'turn', 'message'],
      () => this.readSoon(),
      () => this.readSoon(),
    );
  }

  override read(): void {
    void this.job.read();
    void this.runs.read();
  }

  private readSoon(): void {
    this.job.readSoon();
    this.runs.readSoon();
  }

  protected override render(): TemplateResult {
    return this.job.render(
      (job) =>
        html`<div class="thing">
          <div class="thing-head">
            ${renderJobState(job)}
            <span class="spring"></span>
            ${this.renderActions(job)}
          </div>
          ${job.stopped === undefined ? nothing : html`<p class="trouble">The gateway has stopped it: ${job.stopped}</p>`}
          ${
            this.isEditing
              ? html`<console-cron-form
                  .app=${this.app}
                  .job=${job}
                  @saved=${({ detail }: CustomEvent<Job>) => this.saved(detail)}
                  @left=${() => (this.isEditing = false)}
                ></console-cron-form>`
              : nothing
          }
          ${renderPanel('When', this.renderWhen(job))} ${renderPanel('What', this.renderWhat(job))}
          ${renderSection(
            'The last runs',
            this.runs.render(({ items }) => this.renderRuns(items)),
          )}
        </div>`,
    );
  }

  private renderActions(job: Job): TemplateResult {
    return html`<console-action
        .app=${this.app}
        label="Run now"
        warning="Run it now?"
        done="The job was started."
        .run=${async () => {
          await this.app.api.post(`${this.path}/run`);
          this.read();
        }}
      ></console-action>
      <console-action
        .app=${this.app}
        label=${job.enabled ? 'Turn off' : 'Turn on'}
        .run=${() => this.toggle(!job.enabled)}
      ></console-action>
      <console-action
        .app=${this.app}
        label="Edit"
        .run=${async () => (this.isEditing = !this.isEditing)}
      ></console-action>
      <console-action .app=${this.app} label="Delete…" .run=${() => this.removeJob(job)}></console-action>`;
  }

  private async toggle(enabled: boolean): Promise<void> {
    const change = async (isOn: boolean) => this.job.take(await this.app.api.patch<Job>(this.path, { enabled: isOn }));
    await change(enabled);
    this.app.act.offerUndo(`The job is ${enabled ? 'on' : 'off'}.`, () => change(!enabled));
  }

  private saved(job: Job): void {
    this.isEditing = false;
    this.job.take(job);
    this.app.act.say('The job was changed.');
  }

  private async removeJob({ name, firings }: Job): Promise<void> {
    const isAgreed = await this.app.act.ask({
      heading: `Delete ${name}?`,
      effect: `The job, which was started ${formatCount(firings)} times, is deleted with the list of its runs. Messages of it that wait are cancelled; the conversations stay.`,
      verb: 'Delete',
    });
    if (!isAgreed) return;
    await this.app.api.delete(this.path);
    this.app.router.go(this.app.router.link({ page: 'cron' }));
  }

  private renderWhen({ schedule, words, next, enabled, last_due: lastDue }: Job): TemplateResult {
    const expression = schedule.cron ?? (schedule.every_ms === undefined ? undefined : `every ${schedule.every_ms} ms`);
    return renderFacts([
      ['In words', words],
      ['Expression', expression === undefined ? nothing : html`<code>${expression}</code>`],
      ['Zone', schedule.timezone],
      [
        'Next',
        !enabled || next.length === 0
          ? NOTHING
          : html`<ol class="plain-list">
              ${next.slice(0, MAX_NEXT).map((at) => html`<li>${renderTime(at, 'exact')}</li>`)}
            </ol>`,
      ],
      ['Last due', renderTime(lastDue, 'exact')],
    ]);
  }

  private renderWhat(job: Job): TemplateResult {
    const { target } = job;
    return html`<blockquote class="said">${renderText(job.message)}</blockquote>
      ${renderFacts([
        ['Where it speaks', target.isolated ? 'a conversation of its own for each run' : renderText(writeChat(target))],
        ['Answer goes to', target.deliver_to ? renderText(writeChat(target.deliver_to)) : nothing],
        ['Agent', job.agent ?? 'main'],
        ['Missed due times', job.misfire],
        ['While the last run goes on', job.overlap],
        ['Further tries', String(job.retries)],
        ['Time limit', job.timeout_ms === undefined ? nothing : formatDuration(job.timeout_ms)],
        ['Most runs', job.max_runs === undefined ? nothing : formatCount(job.max_runs)],
        ['No run after', job.expires_at === undefined ? nothing : renderTime(job.expires_at, 'exact')],
        ['Started', `${formatCount(job.firings)} times`],
        ['Failures since the last success', formatCount(job.failures)],
        ['Made by', html`${renderText(job.made_by)}, ${renderTime(job.created_at)}`],
      ])}`;
  }

  private renderRuns(runs: readonly Run[]): TemplateResult {
    return html`${runs.length === 0 ? nothing : renderStrip(runs)}
    ${renderRows<Run>(
      {
        label: 'The last runs',
        keyOf: ({ due, kind, message_ref }) => `${due} ${kind} ${message_ref}`,
        columns: [
          { head: 'Due', width: 'minmax(15rem, 1fr)', phone: 'main', cell: ({ due }) => renderTime(due, 'exact') },
          { head: 'State', width: '7rem', phone: 'side', cell: ({ status }) => renderState(status) },
          { head: 'Why', width: 'minmax(9rem, 2fr)', phone: 'second', cell: renderWhy },
          { head: 'Took', width: '6rem', isNumber: true, cell: renderLength },
          { head: 'Attempts', width: '5rem', isNumber: true, cell: ({ attempts }) => attempts },
          {
            head: 'Message',
            width: '8rem',
            phone: 'end',
            cell: ({ message_ref }) => (message_ref === undefined ? NOTHING : renderMessageLink(this.app, message_ref)),
          },
        ],
      },
      runs,
      'It has not run yet.',
    )}`;
  }
}

function renderWhy({ kind, reason, count }: Run): TemplateResult {
  const why = reason ?? (count === undefined ? kind : `${count} due times`);
  return html`<span title=${why}>${renderText(why)}</span>`;
}

function renderLength({ started, ended }: Run): string {
  return started !== undefined && ended !== undefined ? formatDuration(ended - started) : NOTHING;
}

/** Renders the runs as a strip, the newest last: each state is a shape and a colour, and the whole a sentence. */
function renderStrip(runs: readonly Run[]): TemplateResult {
  const counted = new Map<string, number>();
  for (const { status } of runs) counted.set(status, (counted.get(status) ?? 0) + 1);
  const sentence = [...counted].map(([status, count]) => `${count} ${describeState(status).word}`).join(', ');
  return html`<div class="strip" role="img" aria-label="The last ${runs.length} runs: ${sentence}">
    ${[...runs]
      .reverse()
      .map(
        ({ status, due }) =>
          html`<span class=${status} title="${formatExact(due, settings.zone)}: ${describeState(status).word}"></span>`,
      )}
  </div>`;
}

function writeChat({ channel, sender, group_id: group, thread_id: thread }: Chat): string {
  return [channel, sender, group, thread].filter((part) => part !== undefined).join(' · ');
}
