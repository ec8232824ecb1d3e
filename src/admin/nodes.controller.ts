import {
  Body,
  ConflictException,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Speaker, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { NodesService } from '../core/nodes/nodes.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import {
  AllowCommandDto,
  InvitationDto,
  NodeChangeDto,
  NodeDto,
  NodesDto,
  PairingCodeDto,
  toNodeDto,
} from './nodes.dto.js';
import { Cursors, paginate } from './pages.js';
import { CursorQuery } from './queue.dto.js';
import { validated } from '../http/index.js';

/** Lists the devices that offer commands, lets new ones in, and changes what they may do. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/nodes')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class NodesController {
  constructor(
    private readonly nodes: NodesService,
    private readonly reach: ReachService,
  ) {}

  /** Sorted by ID. */
  @Get()
  @RequireScope('admin:read')
  async list(@Viewer() { tenant }: Principal, @Query() query: CursorQuery): Promise<NodesDto> {
    const cursors = new Cursors<string>('nodes', tenant);
    const { items, next } = paginate(await this.nodes.list(tenant), ({ node }) => node.nodeId, query, cursors);
    return { items: items.map(toNodeDto), ...(next !== undefined && { next }) };
  }

  /** Makes a code that lets one device in, within 10 minutes. */
  @Post('pairings')
  @HttpCode(201)
  @RequireScope('admin:write')
  async invite(@Body() invitation: InvitationDto, @Speaker() caller: Principal): Promise<PairingCodeDto> {
    const { code, expiresAt } = await this.nodes.invite(caller, invitation);
    const { publicUrl: url } = this.reach;
    return { code, expires_at: expiresAt, ...(url !== undefined && { url }) };
  }

  /** Changes the name or what it may offer. The ID stays. */
  @Patch(':id')
  @RequireScope('admin:write')
  async change(@Param('id') id: string, @Body() change: NodeChangeDto, @Viewer() caller: Principal): Promise<NodeDto> {
    return toNodeDto(await this.nodes.change(caller, id, change));
  }

  /** Revokes a node: its connection, its tools and its key end. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  async revoke(@Param('id') id: string, @Viewer() caller: Principal): Promise<void> {
    await this.nodes.revoke(caller, id);
  }

  /** Allows what a node says of a command now. */
  @Post(':id/commands/:name/allow')
  @HttpCode(200)
  @ApiBody({ type: AllowCommandDto, required: false })
  @ApiConflictResponse({ description: 'The node says something else by now.' })
  @RequireScope('admin:write')
  async allow(
    @Param('id') id: string,
    @Param('name') name: string,
    @Body() { sha256 }: AllowCommandDto,
    @Viewer() caller: Principal,
  ): Promise<NodeDto> {
    const view = await this.nodes.allowCommand(caller, id, name, sha256);
    if (view === 'changed') throw new ConflictException(`The node ${id} has changed ${name} again: read it once more`);
    return toNodeDto(view);
  }
}
