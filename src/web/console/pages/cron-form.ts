import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ApiError, pathOf } from '../api.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { MISFIRES, OVERLAPS } from './api-names.js';
import { FormValues } from './form-values.js';
import type { Job } from './job.js';

/** A field of the form: how it is read from a job, and written into a change. */
interface FormField {
  readonly name: string;
  readonly label: string;
  readonly read: (job: Job) => string;
  readonly options?: readonly string[];
  readonly isLong?: boolean;
  /** Fields that may be empty are removed by an empty text. */
  readonly isOptional?: boolean;
  readonly isNumber?: boolean;
}

const FIELDS: readonly FormField[] = [
  { name: 'name', label: 'Name', read: ({ name }) => name },
  { name: 'message', label: 'Message to the agent', isLong: true, read: ({ message }) => message },
  { name: 'misfire', label: 'Missed due times', options: MISFIRES, read: ({ misfire }) => misfire },
  { name: 'overlap', label: 'While the last run goes on', options: OVERLAPS, read: ({ overlap }) => overlap },
  {
    name: 'retries',
    label: 'Further tries of a run that has failed',
    isNumber: true,
    read: ({ retries }) => String(retries),
  },
  {
    name: 'max_runs',
    label: 'Most runs',
    isNumber: true,
    isOptional: true,
    read: ({ max_runs }) => String(max_runs ?? ''),
  },
];

/** The form that changes a job. It sends the fields that were changed. Dispatches `saved` with the job, or `left`. */
@customElement('console-cron-form')
export class ConsoleCronForm extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property({ attribute: false }) job!: Job;
  @state() private error: unknown;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<form class="stack panel" @submit=${this.save}>
      ${this.renderSchedule()} ${FIELDS.map((field) => this.renderField(field))}
      ${this.error === undefined ? nothing : html`<p class="trouble" role="alert">${describeError(this.error)}</p>`}
      <div class="buttons">
        <button type="button" class="plain" @click=${() => this.dispatchEvent(new CustomEvent('left'))}>Cancel</button>
        <button class="main">Save</button>
      </div>
    </form>`;
  }

  private renderSchedule(): TemplateResult {
    const { cron, every_ms: every, timezone } = this.job.schedule;
    return html`${
        cron === undefined
          ? nothing
          : html`<label
              ><span>Cron expression</span><input class="field" name="cron" required spellcheck="false" .value=${cron}
            /></label>`
      }${
        every === undefined
          ? nothing
          : html`<label
              ><span>Every, in milliseconds</span
              ><input class="field" name="every_ms" required inputmode="numeric" .value=${String(every)}
            /></label>`
      }<label
        ><span>Zone</span><input class="field" name="timezone" required spellcheck="false" .value=${timezone}
      /></label>`;
  }

  private renderField({ name, label, read, options, isLong, isOptional, isNumber }: FormField): TemplateResult {
    const value = read(this.job);
    return html`<label>
      <span>${label}</span>
      ${
        options
          ? html`<select class="field" name=${name}>
              ${options.map((option) => html`<option ?selected=${option === value}>${option}</option>`)}
            </select>`
          : isLong
            ? html`<textarea class="field" name=${name} rows="3" required .value=${value}></textarea>`
            : html`<input
                class="field"
                name=${name}
                ?required=${!isOptional}
                inputmode=${isNumber ? 'numeric' : 'text'}
                .value=${value}
              />`
      }
    </label>`;
  }

  private readonly save = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const change = { ...this.readFields(form), ...this.readSchedule(form) };
    try {
      const job = await this.app.api.patch<Job>(pathOf('cron', 'jobs', this.job.job_id), change);
      this.dispatchEvent(new CustomEvent('saved', { detail: job }));
    } catch (error) {
      this.error = error instanceof ApiError ? error : undefined;
      if (!this.error) throw error;
    }
  };

  private readFields(form: FormValues): Readonly<Record<string, unknown>> {
    const change: Record<string, unknown> = {};
    for (const { name, read, isNumber, isOptional } of FIELDS) {
      const text = form.text(name);
      if (text === read(this.job)) continue;
      change[name] = isOptional && text.trim() === '' ? null : isNumber ? Number(text) : text;
    }
    return change;
  }

  /** The schedule is one field of a job: it is sent whole if a part of it was changed. */
  private readSchedule(form: FormValues): { readonly schedule?: object } {
    const { schedule } = this.job;
    const wish = {
      ...schedule,
      ...(form.has('cron') && { cron: form.text('cron') }),
      ...(form.has('every_ms') && { every_ms: Number(form.text('every_ms')) }),
      timezone: form.text('timezone'),
    };
    return JSON.stringify(wish) === JSON.stringify(schedule) ? {} : { schedule: wish };
  }
}
