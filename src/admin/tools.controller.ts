import type { ServerResponse } from 'node:http';
import {
  Body,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { DirectCallsService, type EndedCall } from '../core/approvals/direct-calls.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import { checkScope, type Principal } from '../core/identity/principal.js';
import { isInScope } from '../core/store/index.js';
import type { ToolDefinition } from '../core/tools/tool.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import { Cursors, pickPage } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { CallToolDto, ChangeToolDto, ToolCallDto, ToolsDto, type ToolDto } from './tools.dto.js';

/** Lists the tools, and calls one. Settings disable tools and require approvals. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/tools')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class ToolsController {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly config: ConfigStoreService,
    private readonly calls: DirectCallsService,
  ) {}

  /** By name, without those of devices of other tenants. */
  @Get()
  @RequireScope('admin:read')
  list(@Query() { limit, cursor }: CursorQuery, @Viewer() { tenant: scope }: Principal): ToolsDto {
    const cursors = new Cursors<string>('tools', scope);
    const seen = this.registry.list().filter(({ tenant }) => tenant === undefined || isInScope(scope, tenant));
    const page = pickPage(seen, ({ name }) => name, { limit, cursor: cursors.decode(cursor) });
    return {
      items: page.items.map((tool) => this.toDto(tool)),
      ...(page.next !== undefined && { next: cursors.encode(page.next) }),
    };
  }

  /** Changes `tools.disabled` and `tools.approvals` for one tool, permanently. The caller needs the scopes of these settings too. */
  @Patch(':name')
  @RequireScope('admin:write')
  @ApiConflictResponse({
    description: 'The settings have been changed meanwhile, or the tool itself requires approvals.',
  })
  async change(
    @Param('name') name: string,
    @Body() { enabled, needs_approval: needsApproval }: ChangeToolDto,
    @Caller() caller: Principal,
  ): Promise<ToolDto> {
    checkAllTenants(caller, this.config);
    const tool = this.find(name);
    if (needsApproval === false && tool.requiresApproval)
      throw new ConflictException(`The tool ${name} itself requires an approval of each call`);
    const changes = {
      ...(enabled !== undefined && { 'tools.disabled': withName(this.config.get('tools.disabled'), name, !enabled) }),
      ...(needsApproval !== undefined && {
        'tools.approvals': withName(this.config.get('tools.approvals'), name, needsApproval),
      }),
    };
    for (const scope of this.config.scopesOf(changes)) checkScope(caller, scope);
    if (Object.keys(changes).length > 0) {
      const outcome = await this.config.change(this.config.version, changes, caller.principal);
      if (outcome.kind === 'stale') throw new GatewayError('STALE_VERSION', { version: outcome.version });
      if (outcome.kind === 'invalid')
        throw new GatewayError('INVALID_PAYLOAD', {
          faults: outcome.faults.map(({ message }) => ({ pointer: '', message })),
        });
    }
    return this.toDto(this.find(name));
  }

  /**
   * Calls a tool, with the permissions, the checks and the approvals of a call in a turn: one that needs an approval waits for the
   * decision. A call that was made has ended with the response; its failure is a result.
   */
  @Post(':name/call')
  @HttpCode(200)
  @RequireScope('tools:call')
  async call(
    @Param('name') tool: string,
    @Body() { parameters = {}, session_id: sessionId }: CallToolDto,
    @Viewer() caller: Principal,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<ToolCallDto> {
    const stop = new AbortController();
    response.once('close', () => stop.abort());
    return toCallDto(await this.calls.call(caller, { tool, parameters, sessionId, signal: stop.signal }));
  }

  private find(name: string): ToolDefinition {
    const tool = this.registry.list().find((candidate) => candidate.name === name);
    if (!tool) throw new GatewayError('NOT_FOUND', { what: `tool ${name}` });
    return tool;
  }

  private toDto(tool: ToolDefinition): ToolDto {
    return {
      name: tool.name,
      description: tool.description,
      parameters: tool.parameters,
      permissions: [...tool.permissions],
      timeout_ms: tool.timeoutMs,
      idempotent: tool.idempotent,
      sandbox: tool.sandbox,
      needs_approval: this.registry.needsApproval(tool.name),
      enabled: !this.config.get('tools.disabled').includes(tool.name),
    };
  }
}

function withName(names: readonly string[], name: string, isListed: boolean): string[] {
  const others = names.filter((other) => other !== name);
  return isListed ? [...others, name] : others;
}

function toCallDto({ callId, outcome }: EndedCall): ToolCallDto {
  const { ok } = outcome;
  const ended = ok ? { content: outcome.content } : { code: outcome.code, message: outcome.message };
  return { call_id: callId, ok, ...ended };
}
