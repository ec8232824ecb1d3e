import type { Principal } from '../identity/principal.js';
import type { JobOwner } from './cron-jobs.service.js';

/** Returns the owner of the jobs that an operator makes. */
export function ownerOfOperator({ tenant, principal }: Pick<Principal, 'tenant' | 'principal'>): JobOwner {
  return { tenant, maker: { kind: 'operator', principal }, actor: principal, owner: `operator:${principal}` };
}

/** Returns the name of a person whose jobs are counted together. */
export function ownerOfSender(channel: string, sender: string): string {
  return JSON.stringify([channel, sender]);
}
