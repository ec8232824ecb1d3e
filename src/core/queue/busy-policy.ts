import type { ConfigStoreService } from '../config/config-store.service.js';
import type { BusyPolicy } from '../agents/agent-setting.js';
import type { SessionSeed } from '../store/index.js';

/** Returns the policy for messages that arrive while the session is busy. In a queue session, a list of jobs, they wait. */
export function findBusyPolicy(
  config: ConfigStoreService,
  { mode, channel }: Pick<SessionSeed, 'mode' | 'channel'>,
): BusyPolicy {
  if (mode === 'queue') return 'followup';
  return config.get('channels')[channel]?.busy_policy ?? config.get('queue.busy_policy');
}
