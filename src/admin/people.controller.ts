import type { ServerResponse } from 'node:http';
import { Controller, Delete, Get, Param, Query, Res, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiConflictResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Speaker, Viewer } from '../auth/index.js';
import type { Principal } from '../core/identity/principal.js';
import { PresenceTrackerService, type PresenceState } from '../core/presence/presence-tracker.service.js';
import { checkChannel, isWithinReach } from '../core/sessions/access.js';
import { AdminStore, type PersonPosition } from '../core/store/index.js';
import { JSON_LINES_CONTENT, sendJsonLines, validated } from '../http/index.js';
import { Cursors, DEFAULT_LIMIT, pickPage } from './pages.js';
import { ErasedDto, PeopleDto, PeopleQuery, PresencesDto } from './people.dto.js';
import { CursorQuery } from './queue.dto.js';
import { SessionAdministrationService } from './session-administration.service.js';
import { reachOf } from './sessions.controller.js';

/** Lists people: the senders of messages. Exports and erases what one has left, and shows who is there. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class PeopleController {
  constructor(
    private readonly store: AdminStore,
    private readonly presence: PresenceTrackerService,
    private readonly administration: SessionAdministrationService,
  ) {}

  /** By ID, one for each channel. */
  @Get('people')
  @RequireScope('admin:read')
  async list(
    @Query() { limit = DEFAULT_LIMIT, cursor, channel, q }: PeopleQuery,
    @Viewer() caller: Principal,
  ): Promise<PeopleDto> {
    const { tenant } = caller;
    const asked = { channels: reachOf(caller, channel), text: q };
    const cursors = new Cursors<PersonPosition>('people', tenant, asked);
    const page = await this.store.listPeople({ tenant, ...asked, after: cursors.decode(cursor), limit });
    return {
      items: page.items.map(({ tenant: of, channel: on, sender, name, sessionId, lastActive }) => ({
        tenant: of,
        channel: on,
        sender,
        ...(name !== undefined && { name }),
        session_id: sessionId,
        last_active: lastActive,
      })),
      ...(page.next && { next: cursors.encode(page.next) }),
    };
  }

  /** Streams what a person has said, with the replies, as JSON, a record in each line. */
  @Get('people/:channel/:sender/export')
  @RequireScope('admin:read')
  @ApiOkResponse({
    description: 'The last line has the number of the others and their SHA-256.',
    content: JSON_LINES_CONTENT,
  })
  async export(
    @Param('channel') channel: string,
    @Param('sender') sender: string,
    @Speaker() caller: Principal,
    @Res() response: ServerResponse,
  ): Promise<void> {
    checkChannel(caller, channel);
    await sendJsonLines(response, this.administration.exportPerson(caller, channel, sender), `${channel}-${sender}`);
  }

  /**
   * Erases what a person has left: texts of messages and replies, files, memories of direct chats, presence. Frames keep type and
   * seq with an empty payload. What waits and runs is cancelled before. Returns what was erased; zeros for a person that is not known.
   */
  @Delete('people/:channel/:sender')
  @RequireScope('admin:write')
  @ApiConflictResponse({ description: 'A turn was cancelled and has not ended in time.' })
  async erase(
    @Param('channel') channel: string,
    @Param('sender') sender: string,
    @Speaker() caller: Principal,
  ): Promise<ErasedDto> {
    return { ...(await this.administration.erase(caller, channel, sender)) };
  }

  /** Who was seen within 15 minutes. */
  @Get('presence')
  @RequireScope('admin:read')
  listPresence(@Query() { limit, cursor }: CursorQuery, @Viewer() caller: Principal): PresencesDto {
    const cursors = new Cursors<string>('presence', caller.tenant);
    const seen = this.presence.list().filter((state) => isWithinReach(caller, state));
    const keyOf = ({ tenant, channel, userId }: PresenceState) => JSON.stringify([tenant, channel, userId]);
    const { items, next } = pickPage(seen, keyOf, { limit, cursor: cursors.decode(cursor) });
    return {
      items: items.map(({ tenant, channel, userId, status, lastSeen }) => ({
        tenant,
        channel,
        user_id: userId,
        status,
        last_seen: lastSeen,
      })),
      ...(next !== undefined && { next: cursors.encode(next) }),
    };
  }
}
