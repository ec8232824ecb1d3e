import { Global, Module } from '@nestjs/common';
import { AgentRuntime, GatewayModule } from 'openclaw-gateway-nest';
import { RulesRuntime } from './rules.runtime.js';

/** Provides the runtime in place of the built-in agent and of models. */
@Global()
@Module({ providers: [{ provide: AgentRuntime, useClass: RulesRuntime }], exports: [AgentRuntime] })
class RulesModule {}

@Module({ imports: [GatewayModule.forRoot({ agent: RulesModule })] })
export class AppModule {}
