import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ApiError, pathOf } from '../api.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { readFields, renderFields } from './cron-fields.js';
import { FormValues } from './form-values.js';
import type { Job } from './job.js';

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
      ${this.renderSchedule()} ${renderFields(this.job)}
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

  private readonly save = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const change = { ...readFields(form, this.job), ...this.readSchedule(form) };
    try {
      const job = await this.app.api.patch<Job>(pathOf('cron', 'jobs', this.job.job_id), change);
      this.dispatchEvent(new CustomEvent('saved', { detail: job }));
    } catch (error) {
      this.error = error instanceof ApiError ? error : undefined;
      if (!this.error) throw error;
    }
  };

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
