import type { ConfigStoreService } from '../config/config-store.service.js';
import type { BusyPolicy } from './queue.settings.js';
import type { SessionSeed } from '../store/index.js';

/** What a message does that arrives while its session is busy. A queue session is a list of jobs: there it always waits. */
export function findBusyPolicy(
  config: ConfigStoreService,
  { mode, channel }: Pick<SessionSeed, 'mode' | 'channel'>,
): BusyPolicy {
  if (mode === 'queue') return 'followup';
  return config.get('channels')[channel]?.busy_policy ?? config.get('queue.busy_policy');
}
