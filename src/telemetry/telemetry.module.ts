// Promises: what operators measure: the metrics of the gateway and of its process. Refuses to know: what the parts count.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { GaugesService } from './gauges.service.js';
import { MetricsController } from './metrics.controller.js';
import { ProcessMetrics } from './process-metrics.js';

@Module({
  imports: [AuthModule, CoreModule],
  controllers: [MetricsController],
  providers: [GaugesService, ProcessMetrics],
})
export class TelemetryModule {}
