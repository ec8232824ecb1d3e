import type { IncomingMessage } from 'node:http';
import { Controller, Get, HttpStatus, Req, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  type HealthCheckResult,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import type { Response } from 'express';
import { AuthService } from '../auth/index.js';
import { ConnectedChannels } from '../core/connections/connected-channels.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { isOfAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { AdminStore, QueueStore, type QueueCounts } from '../core/store/index.js';
import { Clock } from '../core/time/clock.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { CHECK_TIMEOUT_MS, HealthIndicators } from './health-indicators.js';
import { HealthReport, type HealthStatus } from './health-report.dto.js';

/** A session counts as active for this long after its last use, in milliseconds. */
const ACTIVE_WITHIN_MS = 300_000;

const BYTES_PER_MIB = 1_048_576;
const documented = { noCache: false, swaggerDocumentation: true };

type ShownCounts = Pick<QueueCounts, 'queued' | 'activeSessions'>;

/** Health: the report for people, and liveness, readiness and startup probes for Kubernetes. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  // oxlint-disable-next-line max-params -- the report reads from every part
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicators,
    private readonly auth: AuthService,
    private readonly lifecycle: PhaseService,
    private readonly queue: QueueStore,
    private readonly messages: AdminStore,
    private readonly tools: ToolRegistryService,
    private readonly channels: ConnectedChannels,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
  ) {}

  /**
   * Everything to authenticated callers and in open mode, with the numbers of their tenant; to others only `status` and
   * `uptime_seconds`. Always 200.
   */
  @Get()
  @ApiBearerAuth()
  async readHealth(@Req() request: IncomingMessage): Promise<HealthReport> {
    const caller = await this.auth.find(request);
    const { status, reasons } = await this.readStatus();
    const uptime_seconds = Math.floor(this.lifecycle.uptimeMs / 1_000);
    if (!caller) return { status, uptime_seconds };
    // They name programs and users of the machine, and channels.
    const maySee = caller.scopes.has('admin:read') && isOfAllTenants(caller, this.config);
    const details = await this.readDetails(caller);
    return { status, uptime_seconds, ...details, ...(maySee && reasons.length > 0 && { reasons: [...reasons] }) };
  }

  /** Liveness: 200 unless a restart is needed. */
  @Get('live')
  @HealthCheck(documented)
  probeLiveness(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult> {
    return this.probe(response, [() => this.indicators.alive()]);
  }

  /** Readiness: 200 while messages are accepted, 503 as soon as a shutdown starts. */
  @Get('ready')
  @HealthCheck(documented)
  probeReadiness(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult> {
    return this.probe(response, [() => this.indicators.takesMessages(), () => this.indicators.storeCommits()]);
  }

  /** Startup: 200 once the start is complete. */
  @Get('startup')
  @HealthCheck(documented)
  probeStartup(@Res({ passthrough: true }) response: Response): Promise<HealthCheckResult> {
    return this.probe(response, [() => this.indicators.started()]);
  }

  private async probe(response: Response, indicators: HealthIndicatorFunction[]): Promise<HealthCheckResult> {
    const result = await this.check(indicators);
    // Terminus also fails every check after its own shutdown hook has run; only the indicators count here.
    if (Object.keys(result.error ?? {}).length > 0) response.status(HttpStatus.SERVICE_UNAVAILABLE);
    return result;
  }

  /** Returns the status, with why it is degraded. */
  private async readStatus(): Promise<{ readonly status: HealthStatus; readonly reasons: readonly string[] }> {
    if (this.lifecycle.isDraining) return { status: 'draining', reasons: [] };
    const { indicators } = this;
    const { error = {} } = await this.check([
      () => indicators.takesMessages(),
      () => indicators.storeCommits(),
      () => indicators.queueHasRoom(),
      () => indicators.channelsDeliver(),
      () => indicators.isReachable(),
      () => indicators.memoryHasRoom(),
      () => indicators.eventLoopRuns(),
      () => indicators.diskHasRoom(),
      () => indicators.backupIsRecent(),
      () => indicators.agentsAnswer(),
    ]);
    const reasons = Object.entries(error).map(([name, result]) => {
      const message: unknown = result?.['message'];
      return typeof message === 'string' ? message : `${name} is not ready`;
    });
    return { status: reasons.length === 0 ? 'healthy' : 'degraded', reasons };
  }

  /** Returns the result of a check, including a failed one, which Terminus throws. */
  private async check(indicators: HealthIndicatorFunction[]): Promise<HealthCheckResult> {
    try {
      return await this.checks.check(indicators);
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }

  private async readDetails(caller: Principal): Promise<Omit<HealthReport, 'status' | 'uptime_seconds'>> {
    const counts = await this.readCounts(caller);
    return {
      connected_channels: [...this.channels.list(caller)],
      ...(counts && { active_sessions: counts.activeSessions, queued_messages: counts.queued }),
      registered_tools: this.tools.list().length,
      memory_usage_mb: Math.round(process.memoryUsage.rss() / BYTES_PER_MIB),
    };
  }

  private async readCounts(caller: Principal): Promise<ShownCounts | undefined> {
    const activeSince = this.clock.now() - ACTIVE_WITHIN_MS;
    const isWhole = isOfAllTenants(caller, this.config);
    const counting = (isWhole ? this.queue.countQueue(activeSince) : this.countOwn(caller, activeSince)).catch(
      () => undefined,
    );
    return (await Promise.race([counting, this.clock.sleep(CHECK_TIMEOUT_MS)])) ?? undefined;
  }
  /** Counts what a caller sees of its tenant: how busy others are is not its business. */
  private async countOwn({ tenant, channels }: Principal, activeSince: number): Promise<ShownCounts> {
    const [{ waiting }, activeSessions] = await Promise.all([
      this.messages.listWaitingMessages({ tenant, channels, limit: 1 }),
      this.messages.countActiveSessions({ tenant, channels, activeSince }),
    ]);
    return { queued: waiting, activeSessions };
  }
}
