import type { ServerResponse } from 'node:http';
import { ConflictException, Controller, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { BackupService, BackupUnderWayError } from '../core/housekeeping/backup.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { sendBody } from '../http/index.js';

/** Makes backups. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/backup')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class BackupController {
  constructor(
    private readonly backups: BackupService,
    private readonly config: ConfigStoreService,
  ) {}

  /**
   * Streams a tar archive: the database, the uploaded files, and at the end `manifest.json` with their sizes and hashes. It has
   * everything of all tenants, with the secrets. Without its manifest it is incomplete. The response begins when the database is
   * copied; a client that leaves ends the backup.
   */
  @Post()
  @HttpCode(200)
  @RequireScope('admin:write')
  @ApiOkResponse({
    content: { 'application/x-tar': { schema: { type: 'string', format: 'binary' } } },
    description: 'The archive.',
  })
  async create(@Caller() caller: Principal, @Res() response: ServerResponse): Promise<void> {
    checkAllTenants(caller, this.config);
    const stop = new AbortController();
    response.once('close', () => stop.abort());
    const backup = this.backups.create(caller, stop.signal);
    // The copy is made before the first chunk, so that its failure has a status.
    const first = await backup.next().catch(refuseSecond);
    response.writeHead(200, { 'Content-Type': 'application/x-tar', 'Cache-Control': 'no-store' });
    if (first.done !== true) response.write(first.value);
    await sendBody(response, backup);
  }
}

function refuseSecond(error: unknown): never {
  throw error instanceof BackupUnderWayError ? new ConflictException(error.message) : error;
}
