import { Injectable } from '@nestjs/common';
import { CronService } from '../cron/cron.service.js';
import { definitionOf } from '../cron/job.js';
import { StartStep } from '../lifecycle/steps.js';
import { CronStore } from '../store/index.js';
import { NodeEventsService } from './node-events.service.js';

/** A job that events of a node start. */
export interface NodeJob {
  readonly jobId: string;
  readonly name: string;
}

/** Starts the jobs that an event of a node starts. */
@Injectable()
export class NodeJobsService {
  constructor(
    private readonly events: NodeEventsService,
    private readonly cron: CronService,
    private readonly store: CronStore,
  ) {}

  @StartStep({ name: 'start jobs on events of nodes', phase: 'register' })
  register(): void {
    this.events.onEvent((event) => this.cron.fireEvent(event));
  }

  /** Lists the jobs that name a node of a tenant, by the IDs of the nodes. */
  async listByNode(tenant: string): Promise<ReadonlyMap<string, readonly NodeJob[]>> {
    const found = new Map<string, NodeJob[]>();
    for (const job of await this.store.listCronJobsOn(tenant)) {
      const { name, schedule } = definitionOf(job);
      if (schedule.kind !== 'event' || schedule.nodeId === undefined) continue;
      found.set(schedule.nodeId, [...(found.get(schedule.nodeId) ?? []), { jobId: job.jobId, name }]);
    }
    return found;
  }
}
