// Promises: an agent that answers, with a model or without. Refuses to know: how its events become frames.
import { Global, Module } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { AgentRuntime } from '../core/turns/agent-runtime.js';
import { BuiltinRuntime } from './builtin/builtin-runtime.js';
import { ConfiguredRuntime, RUNTIMES } from './configured-runtime.js';
import { ModelsController } from './models/models.controller.js';
import { ModelsService } from './models/models.service.js';
import { Instructions } from './pi/instructions.js';
import { ModelChoice } from './pi/model-choice.js';
import { ModelMetrics } from './pi/model-metrics.js';
import { ModelRest } from './pi/model-rest.js';
import { PiRuntime } from './pi/pi-runtime.js';
import { PromptFiles } from './pi/prompt-files.js';

/** Each has its folder, and its name is a value of `agent.runtime`. */
const runtimes = [BuiltinRuntime, PiRuntime];

@Global()
@Module({
  imports: [AuthModule],
  controllers: [ModelsController],
  providers: [
    ModelChoice,
    ModelMetrics,
    ModelsService,
    ModelRest,
    PromptFiles,
    Instructions,
    ...runtimes,
    { provide: RUNTIMES, useFactory: (...chosen: readonly AgentRuntime[]) => chosen, inject: runtimes },
    { provide: AgentRuntime, useClass: ConfiguredRuntime },
  ],
  exports: [AgentRuntime],
})
export class AgentsModule {}
