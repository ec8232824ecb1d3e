import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, TokenAdministrationService, Viewer } from '../auth/index.js';
import { AgentsService } from '../core/agents/agents.service.js';
import { ApprovalsService } from '../core/approvals/approvals.service.js';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { LastBackupService } from '../core/housekeeping/last-backup.service.js';
import type { Principal } from '../core/identity/principal.js';
import { VERSION } from '../core/lifecycle/version.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { AdminStore, ALL_TENANTS, isInScope, QueueStore, Store } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { MinuteStatisticsService } from './minute-statistics.service.js';
import { StatusDto } from './status.dto.js';
import { WarningsService, type WarningFacts } from './warnings.service.js';

/** A session counts as active for this long after its last use, in milliseconds. */
const ACTIVE_WITHIN_MS = 300_000;

const BYTES_PER_MIB = 1_048_576;

/** The state of the gateway at a glance. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/status')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class StatusController {
  // oxlint-disable-next-line max-params -- the report reads from every part
  constructor(
    private readonly phase: PhaseService,
    private readonly replica: ReplicaIdentity,
    private readonly store: Store,
    private readonly messages: AdminStore,
    private readonly queue: QueueStore,
    private readonly connections: ConnectionManagerService,
    private readonly channels: ChannelManagerService,
    private readonly agents: AgentsService,
    private readonly tools: ToolRegistryService,
    private readonly approvals: ApprovalsService,
    private readonly statistics: MinuteStatisticsService,
    private readonly warnings: WarningsService,
    private readonly tokens: TokenAdministrationService,
    private readonly backup: LastBackupService,
    private readonly clock: Clock,
  ) {}

  /** Returns the state with what is wrong now, and the last 60 minutes. Also while the store does not respond. */
  @Get()
  @RequireScope('admin:read')
  async read(@Viewer() caller: Principal): Promise<StatusDto> {
    const { tenant } = caller;
    const isWhole = tenant === ALL_TENANTS;
    const uptime_seconds = Math.floor(this.phase.uptimeMs / 1_000);
    const { facts, running, approvals } = await this.readStored(caller);
    const deadLetters = Object.values(facts.deadLetters).reduce((sum, count) => sum + count, 0);
    return {
      version: VERSION,
      ...(isWhole && { replicas: [{ replica: this.replica.id, phase: this.phase.phase, uptime_seconds }] }),
      uptime_seconds,
      counts: {
        connections: this.connections.list().filter(({ principal }) => isInScope(tenant, principal.tenant)).length,
        waiting: facts.waiting,
        running,
        ...(isWhole && (await this.countActive())),
        agents: this.agents.listOf(tenant).length,
        tools: this.tools.list().length,
        approvals,
        dead_letters: deadLetters,
      },
      ...(isWhole && this.describeProcess(facts.storeError === undefined)),
      channels: isWhole
        ? [...this.channels.states].map(([name, { state, since }]) => ({ name, state, since })).toSorted(byName)
        : [],
      warnings: this.warnings.list(caller, facts).map((warning) => ({ ...warning })),
      minutes: this.statistics.list(tenant).map(({ at, messages, waiting, firstBlockP95Ms, failed }) => ({
        at,
        messages,
        waiting,
        ...(firstBlockP95Ms !== undefined && { first_block_p95_ms: firstBlockP95Ms }),
        failed,
      })),
    };
  }

  /** Reads what only the store knows; zeros while it does not respond. */
  private async readStored(caller: Principal): Promise<{ facts: WarningFacts; running: number; approvals: number }> {
    const { tenant, channels } = caller;
    const [storeError, open, approvals, deadLetters, expiring] = await Promise.all([
      this.store.check().then(
        () => undefined,
        (error: unknown) => error,
      ),
      this.messages.listWaitingMessages({ tenant, channels, limit: 1 }).catch(() => undefined),
      this.approvals.listPending(caller).then(
        ({ length }) => length,
        () => 0,
      ),
      tenant === ALL_TENANTS ? this.channels.countDeadLetters().catch(() => ({})) : {},
      this.tokens.listExpiring(tenant).catch(() => []),
    ]);
    const { waiting = 0, running = 0, oldestAt } = open ?? {};
    const oldestAgeMs = oldestAt === undefined ? 0 : Math.max(0, this.clock.now() - oldestAt);
    return { facts: { storeError, waiting, oldestAgeMs, deadLetters, expiring }, running, approvals };
  }

  private async countActive(): Promise<{ active_sessions?: number }> {
    const counts = await this.queue.countQueue(this.clock.now() - ACTIVE_WITHIN_MS).catch(() => undefined);
    return counts ? { active_sessions: counts.activeSessions } : {};
  }

  private describeProcess(commits: boolean): Pick<StatusDto, 'memory' | 'store'> {
    const { at } = this.backup;
    const { rss, heapUsed } = process.memoryUsage();
    return {
      memory: { rss_mb: Math.round(rss / BYTES_PER_MIB), heap_mb: Math.round(heapUsed / BYTES_PER_MIB) },
      store: { label: this.store.label, commits, ...(at !== undefined && { last_backup_at: at }) },
    };
  }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
