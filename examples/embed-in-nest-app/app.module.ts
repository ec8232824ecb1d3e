import { Controller, Get, Module } from '@nestjs/common';
import { GatewayModule, ToolRegistryService } from 'openclaw-gateway-nest';

/** A controller of the team's own, beside the gateway on the same port, with the gateway's services injected. */
@Controller('acme')
class AcmeController {
  constructor(private readonly tools: ToolRegistryService) {}

  @Get('tools')
  listTools(): string[] {
    return this.tools.list().map((tool) => tool.name);
  }
}

@Module({ imports: [GatewayModule.forRoot()], controllers: [AcmeController] })
export class AppModule {}
