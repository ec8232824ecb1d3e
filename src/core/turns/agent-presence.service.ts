import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { PresenceTrackerService } from '../presence/presence-tracker.service.js';
import { AgentRuntime } from './agent-runtime.js';

/** Forwards presence changes to the agent. */
@Injectable()
export class AgentPresenceService {
  constructor(
    private readonly presence: PresenceTrackerService,
    private readonly runtime: AgentRuntime,
  ) {}

  @StartStep({ name: 'forward presence to the agent', phase: 'run' })
  start(): Undo {
    return this.presence.onChange((state) => this.runtime.noticePresence(state));
  }
}
