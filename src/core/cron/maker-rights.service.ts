import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import { PrincipalDirectory } from '../identity/principal-directory.js';
import { SessionStore } from '../store/index.js';
import type { JobDefinition } from './job.js';
import type { Schedule } from './schedule.js';

/** The permission to make jobs. */
export const CRON_PERMISSION = 'cron';
/** The permission to see and change jobs of other chats, and to make jobs for them. */
export const ANY_PERMISSION = 'cron:any';
/** The permission for all devices; that for one is `node:ID`. */
const NODE_PERMISSION = 'node';

/** The rights that the maker of a job has now. */
export type MakerRights =
  | {
      readonly kind: 'has';
      /** Undefined if they are not limited. */
      readonly permissions: readonly string[] | undefined;
      readonly mayCommand: boolean;
    }
  | { readonly kind: 'gone'; readonly reason: string };

/** Finds the rights that a run of a job has: those of its maker, at the time of the run. */
@Injectable()
export class MakerRightsService {
  constructor(
    private readonly principals: PrincipalDirectory,
    private readonly sessions: SessionStore,
    private readonly agents: AgentsService,
  ) {}

  async find(tenant: string, { maker, schedule }: Pick<JobDefinition, 'maker' | 'schedule'>): Promise<MakerRights> {
    if (await this.principals.isGone(tenant, maker.principal))
      return { kind: 'gone', reason: `its maker ${maker.principal} does not exist any more` };
    if (maker.kind === 'operator') return { kind: 'has', permissions: undefined, mayCommand: true };
    const session = await this.sessions.findSession(maker.sessionId);
    if (!session) return { kind: 'gone', reason: 'the session in which it was made does not exist any more' };
    const agent = this.agents.findFor(tenant, session.agent);
    const limit = this.principals.findToolPermissions(tenant, maker.principal);
    const granted = [...session.toolPermissions, ...(agent?.permissions ?? [])];
    const permissions = [...new Set(limit ? granted.filter((one) => limit.includes(one)) : granted)];
    const missing = permissions.includes(CRON_PERMISSION) ? findMissing(schedule, permissions) : CRON_PERMISSION;
    if (missing === undefined) return { kind: 'has', permissions, mayCommand: false };
    return { kind: 'gone', reason: `its maker lacks the permission ${missing}` };
  }
}

/** Returns the permission that the maker of a job needs for the events that start it, if it is not held: as for `nodes.events`. */
export function findMissing(schedule: Schedule, permissions: readonly string[]): string | undefined {
  if (schedule.kind !== 'event' || permissions.includes(NODE_PERMISSION)) return undefined;
  const wanted = schedule.nodeId === undefined ? NODE_PERMISSION : `${NODE_PERMISSION}:${schedule.nodeId}`;
  return permissions.includes(wanted) ? undefined : wanted;
}
