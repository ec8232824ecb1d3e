import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import type { BusyPolicy } from '../agents/agent-setting.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { QUESTION_CHANNEL } from '../sessions/question-channel.js';
import type { QueueLimits, SessionSeed } from '../store/index.js';

/** The settings of waiting messages: the limits of the queue, and the policy while a session is busy. */
@Injectable()
export class QueueRulesService {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly agents: AgentsService,
  ) {}

  /** @param perTenant undefined if the tenant has no limit of its own */
  readLimits(perTenant: number | undefined): QueueLimits {
    return {
      perSession: this.config.get('queue.max_per_session'),
      perClient: this.config.get('queue.max_per_client'),
      total: this.config.get('queue.max_total'),
      perTenant,
    };
  }

  /**
   * Returns the policy for messages that arrive while the session is busy. It is the first that is set of its agent, its
   * channel and the queue. In a queue session, which is a list of jobs, and in one of questions, messages always wait.
   * @param agent of the running turn, if there is one
   */
  findBusyPolicy(
    { mode, channel, agent: id }: Pick<SessionSeed, 'mode' | 'channel' | 'agent'>,
    agent = this.agents.find(id),
  ): BusyPolicy {
    if (mode === 'queue' || channel === QUESTION_CHANNEL) return 'followup';
    return (
      agent?.busyPolicy ?? this.config.get('channels')[channel]?.busy_policy ?? this.config.get('queue.busy_policy')
    );
  }
}
