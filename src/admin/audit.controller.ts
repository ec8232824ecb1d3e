import type { ServerResponse } from 'node:http';
import { Controller, Get, Query, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Caller, HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { EMPTY_HEAD, readAuditTrail, verifyAuditTrail } from '../core/audit/audit-chain.js';
import { noteOfExport } from '../core/audit/audit-notes.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { checkAllTenants } from '../core/identity/all-tenants.js';
import type { Principal } from '../core/identity/principal.js';
import { ALL_TENANTS, AuditStore, type AuditHead, type AuditQuery, type AuditRow } from '../core/store/index.js';
import { JSON_LINES_CONTENT, sendJsonLines, validated } from '../http/index.js';
import {
  AuditFilters,
  AuditPageQuery,
  AuditRowsDto,
  AuditVerdictDto,
  AuditVerifyQuery,
  type AuditRowDto,
} from './audit.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';

const query = validated();

/** Shows the audit trail, exports it and checks that no row was changed or removed. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/audit')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@RequireScope('audit:read')
export class AuditController {
  constructor(
    private readonly audit: AuditStore,
    private readonly config: ConfigStoreService,
  ) {}

  /** Newest first. An operator of a tenant sees the rows of that tenant. */
  @Get()
  async list(@Query(query) { limit = DEFAULT_LIMIT, cursor, ...asked }: AuditPageQuery, @Viewer() caller: Principal) {
    const filters = this.select(asked, caller);
    const cursors = new Cursors<number>('audit', caller.tenant, filters);
    const after = cursors.decode(cursor);
    const rows = await this.audit.listAudit({
      ...filters,
      order: 'newest',
      limit: limit + 1,
      ...(after !== undefined && { after }),
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const answer: AuditRowsDto = { items: page.map(toDto), ...(last && { next: cursors.encode(last.sequence) }) };
    return answer;
  }

  /**
   * Streams all rows, oldest first, as JSON lines of type `row`. The text of a row that its hash covers is in `body`. The
   * last line is `{"type":"end","items":N,"sha256":"..."}`; without it the export is incomplete.
   */
  @Get('export')
  @ApiOkResponse({ content: JSON_LINES_CONTENT, description: 'One row per line.' })
  async export(
    @Query(query) asked: AuditFilters,
    @Viewer() caller: Principal,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const filters = this.select(asked, caller);
    await this.audit.recordAudit(noteOfExport(caller, filters));
    await sendJsonLines(response, exportRows(readAuditTrail(this.audit, { ...filters, order: 'oldest' })), 'audit');
  }

  /** Checks the whole trail, of all tenants. */
  @Get('verify')
  async verify(@Query(query) { known }: AuditVerifyQuery, @Caller() caller: Principal): Promise<AuditVerdictDto> {
    checkAllTenants(caller, this.config);
    const { sequence: entry, hash } = await this.audit.readAuditHead();
    const verdict = await verifyAuditTrail(this.audit, readHead(known));
    const head = { entry, hash };
    if (verdict.kind === 'intact') return { ok: true, head, oldest: verdict.oldest };
    return { ok: false, head, broken_at: verdict.sequence, fault: verdict.fault };
  }

  private select(asked: AuditFilters, { tenant: scope }: Principal): Omit<AuditQuery, 'order' | 'after' | 'limit'> {
    const { actor, action, from, to } = asked;
    const tenant = scope === ALL_TENANTS ? undefined : scope;
    const filters = Object.entries({ tenant, actor, action, from, to }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(filters);
  }
}

function readHead(known: string | undefined): AuditHead {
  const [sequence, hash] = known?.split(':') ?? [];
  return hash === undefined ? EMPTY_HEAD : { sequence: Number(sequence), hash };
}

async function* exportRows(rows: AsyncIterable<AuditRow>): AsyncGenerator<object> {
  for await (const row of rows) yield toLine(row);
}

function toLine(row: AuditRow): object {
  return Object.assign({ type: 'row' }, toDto(row), { body: row.body, previous_hash: row.previousHash });
}

function toDto({ sequence, at, tenant, actor, action, target, subject, person, ...row }: AuditRow): AuditRowDto {
  return {
    entry: sequence,
    at,
    tenant,
    actor,
    action,
    target,
    ...(subject !== undefined && { subject }),
    ...(person && { person: { channel: person.channel, sender: person.sender } }),
    before: JSON.parse(row.before) as unknown,
    after: JSON.parse(row.after) as unknown,
    hash: row.hash,
  };
}
