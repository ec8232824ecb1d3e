import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import '../act.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { readFields, renderFields, type JobFields } from './cron-fields.js';
import { FormValues } from './form-values.js';
import type { Job } from './job.js';

/** What the gateway takes for fields that a new job does not have. */
const DEFAULTS: JobFields = { name: '', message: '', misfire: 'latest', overlap: 'skip', retries: 0 };

/** The units of a distance, in milliseconds. */
const UNITS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

/** When a job is due, and where it speaks: the choices, with their words. */
const SCHEDULES = {
  cron: 'At times of a cron expression',
  every: 'At a distance of time',
  at: 'Once, at a time',
  event: 'At an event of a device',
} as const;
const TARGETS = {
  person: 'In the chat of a person',
  group: 'In a group',
  isolated: 'In a conversation of its own for each run',
} as const;

/** A command that makes a job. Leads to it. */
@customElement('console-cron-new')
export class ConsoleCronNew extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @state() private schedule: keyof typeof SCHEDULES = 'cron';
  @state() private target: keyof typeof TARGETS = 'person';
  @state() private error: unknown;
  private readonly dialog = createRef<HTMLDialogElement>();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<console-action
        .app=${this.app}
        look="main"
        label="Make a job…"
        .run=${async () => this.dialog.value?.showModal()}
      ></console-action>
      <dialog ${ref(this.dialog)} class="dialog" aria-labelledby="job-heading" @close=${() => (this.error = undefined)}>
        <h2 id="job-heading">Make a job</h2>
        <form class="stack" @submit=${this.create}>
          ${this.renderChoice('When', SCHEDULES, this.schedule, (choice) => (this.schedule = choice))}
          ${this.renderSchedule()}
          ${this.renderChoice('Where', TARGETS, this.target, (choice) => (this.target = choice))} ${this.renderTarget()}
          ${renderFields(DEFAULTS)}
          ${this.error === undefined ? nothing : html`<p class="trouble" role="alert">${describeError(this.error)}</p>`}
          <div class="buttons">
            <button type="button" class="plain" @click=${() => this.dialog.value?.close()}>Cancel</button>
            <button class="main">Make it</button>
          </div>
        </form>
      </dialog>`;
  }

  private renderChoice<Name extends string>(
    label: string,
    choices: Readonly<Record<Name, string>>,
    chosen: Name,
    choose: (choice: Name) => void,
  ): TemplateResult {
    const names = Object.keys(choices) as Name[];
    return html`<label>
      <span>${label}</span>
      <select class="field" @change=${({ target }: Event) => choose((target as HTMLSelectElement).value as Name)}>
        ${names.map((name) => html`<option value=${name} ?selected=${name === chosen}>${choices[name]}</option>`)}
      </select>
    </label>`;
  }

  private renderSchedule(): TemplateResult {
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    return html`${
      {
        cron: renderText('cron', 'Cron expression, such as 0 8 * * 1-5'),
        every: html`${renderText('every', 'Every')}
          <label
            ><span>Unit</span
            ><select class="field" name="unit">
              ${Object.keys(UNITS).map((unit) => html`<option ?selected=${unit === 'minutes'}>${unit}</option>`)}
            </select></label
          >`,
        at: html`<label
          ><span>Time, in the zone below</span><input class="field" type="datetime-local" name="at" required
        /></label>`,
        event: html`${renderText('event', 'Event, such as door.opened')}
        ${renderText('node_id', 'Only of this device; empty: of any', true)}`,
      }[this.schedule]
    }${this.schedule === 'event' ? nothing : renderText('timezone', 'Zone', false, zone)}`;
  }

  private renderTarget(): TemplateResult {
    const isIsolated = this.target === 'isolated';
    const channel = isIsolated ? 'Channel that gets the answer; empty: none' : 'Channel, such as telegram';
    return html`${renderText('channel', channel, isIsolated)}
    ${
      this.target === 'group'
        ? html`${renderText('group_id', 'Group')}${renderText('thread_id', 'Thread of the group; may be empty', true)}`
        : renderText(
            'sender',
            isIsolated ? 'Person who gets the answer' : 'Person, by the id on the channel',
            isIsolated,
          )
    }`;
  }

  private readonly create = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const wish = { ...readFields(form, DEFAULTS), schedule: this.readSchedule(form), target: this.readTarget(form) };
    try {
      const { job_id: id } = await this.app.api.post<Job>('/cron/jobs', wish);
      this.dialog.value?.close();
      this.app.router.go(this.app.router.link({ page: 'cron', ids: [id] }));
      this.app.act.say('The job was made.');
    } catch (error) {
      this.error = error;
    }
  };

  private readSchedule(form: FormValues): object {
    const timezone = form.has('timezone') ? { timezone: form.text('timezone') } : {};
    const unit = UNITS[form.text('unit') as keyof typeof UNITS];
    return {
      cron: () => ({ cron: form.text('cron'), ...timezone }),
      every: () => ({ every_ms: Number(form.text('every')) * unit, ...timezone }),
      at: () => ({ at: form.text('at'), ...timezone }),
      event: () => ({ on_event: form.filled('event', 'node_id') }),
    }[this.schedule]();
  }

  private readTarget(form: FormValues): object {
    const chat = form.filled('channel', 'sender', 'group_id', 'thread_id');
    if (this.target !== 'isolated') return chat;
    return { isolated: true, ...(Object.keys(chat).length > 0 && { deliver_to: chat }) };
  }
}

function renderText(name: string, label: string, isOptional = false, value = ''): TemplateResult {
  return html`<label
    ><span>${label}</span
    ><input class="field" name=${name} ?required=${!isOptional} autocomplete="off" spellcheck="false" .value=${value}
  /></label>`;
}
