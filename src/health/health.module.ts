// Promises: the probes and /health are correct at every step of start and stop. Refuses to know: how a part handles its
// own failure.
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { HealthController } from './health.controller.js';
import { HealthIndicators } from './health-indicators.js';

@Module({
  // Failing probes are not logged here: the failing part has logged the cause itself.
  imports: [TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 }), AuthModule, CoreModule],
  controllers: [HealthController],
  providers: [HealthIndicators],
})
export class HealthModule {}
