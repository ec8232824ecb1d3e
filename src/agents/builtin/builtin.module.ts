// Promises: an agent that answers without a model. Refuses to know: how its events become frames.
import { Global, Module } from '@nestjs/common';
import { AgentRuntime } from '../../core/turns/agent-runtime.js';
import { BuiltinRuntime } from './builtin-runtime.js';

@Global()
@Module({
  providers: [{ provide: AgentRuntime, useClass: BuiltinRuntime }],
  exports: [AgentRuntime],
})
export class BuiltinAgentModule {}
