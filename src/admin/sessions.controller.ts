import type { ServerResponse } from 'node:http';
import {
  Body,
  Controller,
  Delete,
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
import { ApiBearerAuth, ApiConflictResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Viewer } from '../auth/index.js';
import { ConversationReaderService } from '../core/connections/conversation-reader.service.js';
import type { Principal } from '../core/identity/principal.js';
import { SessionChangesService } from '../core/sessions/session-changes.service.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { AdminStore, FrameStore, SessionStore, type ListPosition, type Session } from '../core/store/index.js';
import { JSON_LINES_CONTENT, sendJsonLines, validated } from '../http/index.js';
import { toFrameItem, toHistoryItem, toListedSession, toSessionItem } from './history.js';
import { toAcceptedDto } from './messages.controller.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { AcceptedMessageDto, CursorQuery } from './queue.dto.js';
import { SessionAdministrationService } from './session-administration.service.js';
import {
  ChangeSessionDto,
  ContextDto,
  HistoryDto,
  SendMessageDto,
  SessionDto,
  SessionFramesDto,
  SessionsDto,
  SessionsQuery,
} from './sessions.dto.js';

/** Maximum length of the messages of a page, in characters of JSON, unless one is longer. */
const MAX_PAGE_LENGTH = 1_048_576;

/** Lists sessions, shows what is in them, and changes, resets, exports and deletes them. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/sessions')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
@UsePipes(validated())
export class SessionsController {
  // oxlint-disable-next-line max-params -- what shows a session, each from its own service
  constructor(
    private readonly router: SessionRouterService,
    private readonly changes: SessionChangesService,
    private readonly sessions: SessionStore,
    private readonly store: AdminStore,
    private readonly frames: FrameStore,
    private readonly reader: ConversationReaderService,
    private readonly administration: SessionAdministrationService,
  ) {}

  /** The newest first. */
  @Get()
  @RequireScope('admin:read')
  async list(@Query() query: SessionsQuery, @Viewer() caller: Principal): Promise<SessionsDto> {
    const { limit = DEFAULT_LIMIT, cursor, channel, mode, participant, q, active_since, sort = 'created_at' } = query;
    const { tenant } = caller;
    const channels = reachOf(caller, channel);
    const asked = { channels, mode, participant, text: q, activeSince: active_since };
    const cursors = new Cursors<ListPosition>('sessions', tenant, asked, sort);
    const order = sort === 'created_at' ? 'created' : 'active';
    const page = await this.store.listSessions({ tenant, ...asked, order, after: cursors.decode(cursor), limit });
    return { items: page.items.map(toListedSession), ...(page.next && { next: cursors.encode(page.next) }) };
  }

  /** Returns a session that the caller may read, with everyone who has written in it. */
  @Get(':id')
  @RequireScope('admin:read')
  async readSession(@Param('id') id: string, @Viewer() caller: Principal): Promise<SessionDto> {
    return this.toDto(await this.router.getReadable(caller, id));
  }

  /** Returns the newest messages with their replies, or those before a cursor. */
  @Get(':id/messages')
  @RequireScope('admin:read')
  async readMessages(
    @Param('id') id: string,
    @Query() { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Viewer() caller: Principal,
  ): Promise<HistoryDto> {
    const cursors = new Cursors<string>('messages', caller.tenant, id);
    let length = 0;
    const items: HistoryDto['items'] = [];
    const page = await this.reader.readHistory({ principal: caller }, id, limit, cursors.decode(cursor), (entry) => {
      const item = toHistoryItem(entry);
      length += JSON.stringify(item).length;
      if (length > MAX_PAGE_LENGTH && items.length > 0) return false;
      items.unshift(item);
      return true;
    });
    return { items, ...(page.nextBefore !== undefined && { next: cursors.encode(page.nextBefore) }) };
  }

  /** Returns the frames of the log that retention has left. */
  @Get(':id/frames')
  @RequireScope('admin:read')
  async readFrames(
    @Param('id') id: string,
    @Query() { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Viewer() caller: Principal,
  ): Promise<SessionFramesDto> {
    await this.router.getReadable(caller, id);
    const cursors = new Cursors<number>('frames', caller.tenant, id);
    const after = cursors.decode(cursor) ?? 0;
    const { frames, headSeq, firstSeq } = await this.frames.readFrames(id, after, limit, MAX_PAGE_LENGTH);
    const last = frames.at(-1)?.seq;
    return {
      items: frames.map(toFrameItem),
      ...(last !== undefined && last < headSeq && { next: cursors.encode(last) }),
      head_seq: headSeq,
      first_seq: firstSeq,
    };
  }

  /** Returns what the agent would read of the session now: the messages since the last reset that nothing supersedes. */
  @Get(':id/context')
  @RequireScope('admin:read')
  async readContext(@Param('id') id: string, @Viewer() caller: Principal): Promise<ContextDto> {
    await this.router.getReadable(caller, id);
    const messages = await this.store.readCurrentContext(id, DEFAULT_LIMIT);
    return { items: messages.map((message) => toHistoryItem({ message, blocks: message.reply?.blocks ?? [] })) };
  }

  /** Streams the session as JSON, a record in each line: the session, its messages, memories and frames, and an end. */
  @Get(':id/export')
  @RequireScope('admin:read')
  @ApiOkResponse({
    description: 'The last line has the number of the others and their SHA-256.',
    content: JSON_LINES_CONTENT,
  })
  async export(@Param('id') id: string, @Viewer() caller: Principal, @Res() response: ServerResponse): Promise<void> {
    const session = await this.router.getReadable(caller, id);
    await sendJsonLines(response, this.administration.exportSession(session), id);
  }

  /** Sends a message to the session as an operator. The agent answers it in the session. */
  @Post(':id/messages')
  @HttpCode(200)
  @RequireScope('admin:write')
  async send(
    @Param('id') id: string,
    @Body() body: SendMessageDto,
    @Viewer() caller: Principal,
  ): Promise<AcceptedMessageDto> {
    return toAcceptedDto(await this.administration.send(caller, id, body));
  }

  /** Takes effect with the next turn, and immediately for tool calls of a running one. */
  @Patch(':id')
  @RequireScope('admin:write')
  async changeSession(
    @Param('id') id: string,
    @Body() change: ChangeSessionDto,
    @Viewer() caller: Principal,
  ): Promise<SessionDto> {
    const { mode, explicit_activation: explicitActivation, tool_permissions: toolPermissions } = change;
    const session = await this.changes.change(caller, id, {
      ...(mode === undefined ? {} : { mode }),
      ...(explicitActivation === undefined ? {} : { explicitActivation }),
      ...(toolPermissions === undefined ? {} : { toolPermissions }),
    });
    return this.toDto(session);
  }

  /** Starts a new context: earlier messages stay in the history, but the agent starts again without them. */
  @Post(':id/reset')
  @HttpCode(204)
  @RequireScope('admin:write')
  async reset(@Param('id') id: string, @Viewer() caller: Principal): Promise<void> {
    await this.administration.reset(caller, id);
  }

  /** Deletes a session with its messages, files and memories. What waits and runs in it is cancelled before. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  @ApiConflictResponse({ description: 'A turn was cancelled and has not ended in time.' })
  async delete(@Param('id') id: string, @Viewer() caller: Principal): Promise<void> {
    await this.administration.delete(caller, id);
  }

  private async toDto(session: Session): Promise<SessionDto> {
    return { ...toSessionItem(session), participants: [...(await this.sessions.listParticipants(session.id))] };
  }
}

/** Returns the channels that a caller may see of those that it asks for; undefined for all. */
export function reachOf({ channels }: Principal, channel: string | undefined): readonly string[] | undefined {
  if (channel === undefined) return channels;
  return channels && !channels.includes(channel) ? [] : [channel];
}
