// Promises: an agent that answers, with a model or without. Refuses to know: how its events become frames.
import { Global, Module } from '@nestjs/common';
import { AgentRuntime } from '../core/turns/agent-runtime.js';
import { ConfiguredRuntime } from './configured-runtime.js';

@Global()
@Module({
  providers: [{ provide: AgentRuntime, useClass: ConfiguredRuntime }],
  exports: [AgentRuntime],
})
export class AgentsModule {}
