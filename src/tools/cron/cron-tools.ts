import Type, { type Static } from 'typebox';
import { JobChangeInput, JobInput, TargetInput } from '../../core/cron/job-schema.js';
import { CRON_PERMISSION } from '../../core/cron/maker-rights.service.js';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import { JobDeskService, type JobCall, type JobPage, type JobSummary } from './job-desk.service.js';

const strict = { additionalProperties: false } as const;
const common = { permissions: [CRON_PERMISSION], timeoutMs: 10_000, idempotent: true } as const;
const JobId = Type.String({ pattern: '^[a-z0-9]{1,64}$', description: 'The ID of the job.' });

// The agent of a job is the one that makes it.
const { agent: _agent, ...properties } = JobInput.properties;
const AddParameters = Type.Object({ ...properties, target: Type.Optional(TargetInput) }, strict);

/** Adds a job for this chat. */
@Tool({
  name: 'cron.add',
  description:
    'Adds a job that speaks to you at a time, in this chat. Returns the schedule in words and the next times: check them. A weekday and a day of the month mean OR; write +MON in the last field for AND.',
  parameters: AddParameters,
  ...common,
})
export class CronAddTool implements ToolExecutor<typeof AddParameters> {
  constructor(private readonly desk: JobDeskService) {}

  execute(input: Static<typeof AddParameters>, call: JobCall): Promise<JobSummary> {
    return this.desk.add(input, call);
  }
}

const ListParameters = Type.Object(
  { after: Type.Optional(Type.String({ maxLength: 64, description: 'The `next` of the page before.' })) },
  strict,
);

/** Lists the jobs of the sender. */
@Tool({ name: 'cron.list', description: 'Lists the jobs of this person.', parameters: ListParameters, ...common })
export class CronListTool implements ToolExecutor<typeof ListParameters> {
  constructor(private readonly desk: JobDeskService) {}

  execute({ after }: Static<typeof ListParameters>, call: JobCall): Promise<JobPage> {
    return this.desk.list(call, after);
  }
}

const UpdateParameters = Type.Object({ job_id: JobId, ...JobChangeInput.properties }, strict);

/** Changes a job of the sender. */
@Tool({
  name: 'cron.update',
  description: 'Changes the given fields of a job; null removes one. A change never starts the job.',
  parameters: UpdateParameters,
  ...common,
})
export class CronUpdateTool implements ToolExecutor<typeof UpdateParameters> {
  constructor(private readonly desk: JobDeskService) {}

  execute({ job_id, ...change }: Static<typeof UpdateParameters>, call: JobCall): Promise<JobSummary> {
    return this.desk.change(job_id, change, call);
  }
}

const RemoveParameters = Type.Object({ job_id: JobId }, strict);

/** Removes a job of the sender. */
@Tool({
  name: 'cron.remove',
  description: 'Removes a job.',
  parameters: RemoveParameters,
  ...common,
  idempotent: false,
})
export class CronRemoveTool implements ToolExecutor<typeof RemoveParameters> {
  constructor(private readonly desk: JobDeskService) {}

  async execute({ job_id }: Static<typeof RemoveParameters>, call: JobCall): Promise<{ removed: string }> {
    await this.desk.remove(job_id, call);
    return { removed: job_id };
  }
}
