import { Controller, Delete, Get, HttpCode, Param, Query, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { noteOfClosedConnection } from '../core/audit/audit-notes.js';
import type { Connection } from '../core/connections/connection.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import type { Principal } from '../core/identity/principal.js';
import { AuditStore, isInScope } from '../core/store/index.js';
import { validated } from '../http/index.js';
import { GatewayError } from '../protocol/index.js';
import type { FieldsOf } from './fields.js';
import { Cursors, pickPage } from './pages.js';
import { CloseConnectionQuery, ConnectionsDto, CursorQuery, type ConnectionDto } from './queue.dto.js';

/** Lists the connections of the tenant to this replica, and closes one. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/connections')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class ConnectionsController {
  constructor(
    private readonly connections: ConnectionManagerService,
    private readonly audit: AuditStore,
  ) {}

  /** By ID, which is random. */
  @Get()
  @RequireScope('admin:read')
  list(@Query() { limit, cursor }: CursorQuery, @Viewer() { tenant }: Principal): ConnectionsDto {
    const cursors = new Cursors<string>('connections', tenant);
    const own = this.connections.list().filter(({ principal }) => isInScope(tenant, principal.tenant));
    const { items, next } = pickPage(own, ({ id }) => id, { limit, cursor: cursors.decode(cursor) });
    return { items: items.map(toConnectionDto), ...(next !== undefined && { next: cursors.encode(next) }) };
  }

  /** Closes a connection with 4001. A client whose credential is still valid can connect again. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  async close(
    @Param('id') id: string,
    @Query() { reason }: CloseConnectionQuery,
    @Viewer() caller: Principal,
  ): Promise<void> {
    const connection = this.connections.find(id);
    if (!connection || !isInScope(caller.tenant, connection.principal.tenant))
      throw new GatewayError('NOT_FOUND', { what: `connection ${id}` });
    await this.audit.recordAudit(noteOfClosedConnection(connection, caller.principal, reason));
    connection.close('revoked');
  }
}

/** Describes a connection. */
export function toConnectionDto({
  id,
  clientId,
  principal,
  connectedAt,
  bufferedBytes,
}: Connection): FieldsOf<ConnectionDto> {
  const { tenant, principal: name, role, channels, sender, expiresAt } = principal;
  return {
    connection_id: id,
    tenant,
    client_id: clientId,
    principal: name,
    role,
    ...(channels && { channels: [...channels] }),
    ...(sender !== undefined && { sender }),
    connected_at: connectedAt,
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    buffered_bytes: bufferedBytes,
  };
}
