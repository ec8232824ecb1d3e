import { Injectable } from '@nestjs/common';
import { CronService } from '../cron/cron.service.js';
import { StartStep } from '../lifecycle/steps.js';
import { NodeEventsService } from './node-events.service.js';

/** Starts the jobs that an event of a node starts. */
@Injectable()
export class NodeJobsService {
  constructor(
    private readonly events: NodeEventsService,
    private readonly cron: CronService,
  ) {}

  @StartStep({ name: 'start jobs on events of nodes', phase: 'register' })
  register(): void {
    this.events.onEvent((event) => this.cron.fireEvent(event));
  }
}
