import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, HttpCode, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { BackupService } from '../core/housekeeping/backup.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';

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
   * everything of all tenants, with the secrets. Without its manifest it is incomplete.
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
    const backup = this.backups.create(caller);
    // The copy is made before the first chunk, so that its failure has a status.
    const first = await backup.next();
    response.writeHead(200, { 'Content-Type': 'application/x-tar', 'Cache-Control': 'no-store' });
    if (first.done !== true) response.write(first.value);
    try {
      await pipeline(Readable.from(backup), response);
    } catch (error) {
      // A client that has left needs no response.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  }
}
