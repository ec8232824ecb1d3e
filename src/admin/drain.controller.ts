import { ConflictException, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope } from '../auth/index.js';
import { noteOfDrain } from '../core/audit/audit-notes.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { StartStopService } from '../core/lifecycle/start-stop.service.js';
import { ReplicaIdentity } from '../core/replicas/replica-identity.js';
import { AuditStore } from '../core/store/index.js';
import { DrainDto } from './status.dto.js';

/** Stops the gateway in order. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/drain')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class DrainController {
  constructor(
    private readonly startStop: StartStopService,
    private readonly replica: ReplicaIdentity,
    private readonly audit: AuditStore,
    private readonly config: ConfigStoreService,
  ) {}

  /**
   * Begins the stop of this replica, as SIGTERM does: it accepts nothing new, running turns finish or go back to the queue, and the
   * process ends. Answers before that.
   */
  @Post()
  @HttpCode(202)
  @RequireScope('admin:write')
  @ApiConflictResponse({ description: 'An application that embeds the gateway stops it itself.' })
  async drain(@Caller() caller: Principal): Promise<DrainDto> {
    checkAllTenants(caller, this.config);
    if (!this.startStop.canStop)
      throw new ConflictException('The application that embeds the gateway stops it; stop that application');
    await this.audit.recordAudit(noteOfDrain(this.replica.id, caller.principal));
    this.startStop.requestStop();
    return { replica: this.replica.id, phase: 'draining' };
  }
}
