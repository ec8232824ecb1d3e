// Promises: the probes and /health are correct at every step of start and stop. Refuses to know: how a part handles its
// own failure.
import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule } from '../auth/index.js';
import { CoreModule } from '../core/core.module.js';
import { HealthController } from './health.controller.js';
import { HealthIndicators } from './health-indicators.js';
import { LoopDelay } from './loop-delay.service.js';
import { StoreDisk } from './store-disk.js';

@Module({
  // Failing probes are not logged here: the failing part has logged the cause itself.
  imports: [TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 }), AuthModule, CoreModule],
  controllers: [HealthController],
  providers: [HealthIndicators, LoopDelay],
})
export class HealthModule {
  /** @param findStoreFolder returns the folder of the store, whose disk is watched */
  static watching(findStoreFolder: () => string): DynamicModule {
    return { module: HealthModule, providers: [{ provide: StoreDisk, useValue: new StoreDisk(findStoreFolder) }] };
  }
}
