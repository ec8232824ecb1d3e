import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiProperty, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';

/** A tool that is registered. */
export class ToolDto {
  name!: string;
  description!: string;

  /** JSON Schema. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  parameters!: object;

  /** All of them must be held by the session that calls it. */
  permissions!: string[];
  timeout_ms!: number;
  /** Whether the same call may run again when a crash has hidden its outcome. */
  idempotent!: boolean;
  /** Whether it runs in a sandbox. */
  sandbox!: boolean;
  /** Whether a person must approve each call. */
  needs_approval!: boolean;
  /** False while `tools.disabled` names it. */
  enabled!: boolean;
}

/** The tools, as an operator sees them. They are enabled, disabled and put under approval by settings. */
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

  /** All tools, in the order of their names. */
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
