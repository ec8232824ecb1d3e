import { html, type TemplateResult } from 'lit';
import { MISFIRES, OVERLAPS } from './api-names.js';
import type { FormValues } from './form-values.js';
import type { Job } from './job.js';

/** The fields of a job that a form shows as they are. */
export type JobFields = Pick<Job, 'name' | 'message' | 'misfire' | 'overlap' | 'retries' | 'max_runs'>;

/** A field of a form: how it is read from a job, and written into a change. */
interface FormField {
  readonly name: string;
  readonly label: string;
  readonly read: (job: JobFields) => string;
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

/** Renders the fields with the values of a job. */
export function renderFields(job: JobFields): readonly TemplateResult[] {
  return FIELDS.map((field) => renderField(field, field.read(job)));
}

function renderField({ name, label, options, isLong, isOptional, isNumber }: FormField, value: string): TemplateResult {
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
              autocomplete="off"
              .value=${value}
            />`
    }
  </label>`;
}

/** Returns the fields of a form whose values are others than those of a job. Null removes one. */
export function readFields(form: FormValues, job: JobFields): Readonly<Record<string, unknown>> {
  const change: Record<string, unknown> = {};
  for (const { name, read, isNumber, isOptional } of FIELDS) {
    const text = form.text(name);
    if (text === read(job)) continue;
    change[name] = isOptional && text.trim() === '' ? null : isNumber ? Number(text) : text;
  }
  return change;
}
