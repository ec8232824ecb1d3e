import { Controller, Get, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { GatewayModule, ToolRegistryService, type SettingsTree } from 'openclaw-gateway-nest';

/** The application's own controller, on the gateway's port and with the gateway's services injected. */
@Controller('acme')
class AcmeController {
  constructor(
    private readonly tools: ToolRegistryService,
    private readonly config: ConfigService<SettingsTree, true>,
  ) {}

  @Get('tools')
  listTools(): string[] {
    return this.tools.list().map((tool) => tool.name);
  }

  /** The setting in force, changes at run time included. */
  @Get('agent')
  readAgentName(): { name: string } {
    return { name: this.config.get('agent.name', { infer: true }) };
  }
}

@Module({ imports: [GatewayModule.forRoot()], controllers: [AcmeController] })
export class AppModule {}
