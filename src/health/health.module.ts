// Promises: the probes and /health say what is true at every step of start and stop. Refuses to know: what a part does
// about being unwell.
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { HealthController } from './health.controller.js';
import { HealthIndicators } from './health-indicators.js';

@Module({
  // A failing probe is no news for the log: the part that is unwell has said it there already, in its own words.
  imports: [TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 }), AuthModule, CoreModule],
  controllers: [HealthController],
  providers: [HealthIndicators],
})
export class HealthModule {}
