import { Controller, Get, Header, NotFoundException, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import { checkScope, type Principal } from '../core/identity/principal.js';
import { Metrics } from '../core/telemetry/metrics.js';
import { GaugesService } from './gauges.service.js';
import { ProcessMetrics } from './process-metrics.js';
import { PrometheusMetrics } from './prometheus-metrics.js';

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';
const EXAMPLE = '# TYPE openclaw_queue_waiting gauge\nopenclaw_queue_waiting 2\n';

/** The metrics of the gateway, for Prometheus. */
@ApiTags('health')
@ApiBearerAuth()
@Controller('metrics')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly gauges: GaugesService,
    private readonly processMetrics: ProcessMetrics,
    private readonly config: ConfigStoreService,
  ) {}

  /**
   * All metrics in the text format of Prometheus; they are listed in the reference. Needs the scope `metrics:read` or
   * `admin:read`, and a credential for all tenants.
   */
  @Get()
  @Header('Content-Type', TEXT_FORMAT)
  @Header('Cache-Control', 'no-store')
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string', example: EXAMPLE } } } })
  async read(@Caller() caller: Principal): Promise<string> {
    checkScope(caller, caller.scopes.has('admin:read') ? 'admin:read' : 'metrics:read');
    checkAllTenants(caller, this.config);
    const { metrics } = this;
    if (!(metrics instanceof PrometheusMetrics))
      throw new NotFoundException('This gateway serves no metrics: telemetry.metrics is off, or it has another engine');
    this.gauges.refresh();
    const ofProcess = await this.processMetrics.render();
    return metrics.render() + ofProcess;
  }
}
