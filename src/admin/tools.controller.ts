import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { ToolDto } from './tools.dto.js';

/** Lists the tools. Settings disable tools and require approvals. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/tools')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('admin:read')
export class ToolsController {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly config: ConfigStoreService,
  ) {}

  /** Returns all tools, sorted by name. */
  @Get()
  listTools(): ToolDto[] {
    const disabled = this.config.get('tools.disabled');
    const tools = this.registry.list().map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: tool.parameters,
      permissions: [...tool.permissions],
      timeout_ms: tool.timeoutMs,
      idempotent: tool.idempotent,
      sandbox: tool.sandbox,
      needs_approval: this.registry.needsApproval(tool.name),
      enabled: !disabled.includes(tool.name),
    }));
    return tools.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
