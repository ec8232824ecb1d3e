import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsString, Length, Max, Min } from 'class-validator';
import { SessionMode } from '../protocol/index.js';
import { MessageEndDto } from './messages.dto.js';
import { CursorQuery } from './queue.dto.js';
import { MayBeAbsent } from '../http/index.js';

/** A change of a session; absent fields stay as they are. */
export class ChangeSessionDto {
  @MayBeAbsent()
  @IsIn(SessionMode.enum)
  @ApiProperty({ enum: SessionMode.enum, required: false })
  mode?: SessionMode;

  /** In a group: answer every message, not only those that address the agent. */
  @MayBeAbsent()
  @IsBoolean()
  explicit_activation?: boolean;

  /**
   * Permissions of the session for tools, besides `tools.default_permissions`.
   * @example ["http","node:kitchen-mac"]
   */
  @MayBeAbsent()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @Length(1, 256, { each: true })
  tool_permissions?: string[];
}

/** A session of a list. */
export class SessionItemDto {
  /** @example "s_5b1f0c9a7d2e4f61" */
  id!: string;
  /** @example "default" */
  tenant!: string;
  @ApiProperty({ enum: SessionMode.enum })
  mode!: SessionMode;
  /** @example "telegram" */
  channel!: string;
  /**
   * The ID of its agent.
   * @example "main"
   */
  agent!: string;
  /**
   * The parts of its key: sender, group and thread, or queue.
   * @example ["5001"]
   */
  key!: string[];
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  last_active!: number;
  /** @example ["http"] */
  tool_permissions!: string[];
  explicit_activation!: boolean;
  /**
   * The model that was chosen for it with `/model`.
   * @example "anthropic/claude-sonnet-4-5"
   */
  model?: string;
  /**
   * The seq of its newest frame.
   * @example 42
   */
  head_seq!: number;
}

/** A session of a list, with what is open in it. */
export class ListedSessionDto extends SessionItemDto {
  /**
   * Messages that wait.
   * @example 2
   */
  waiting!: number;
  /**
   * The message that runs now.
   * @example "m_4f61_9"
   */
  running_ref?: string;
}

/** A session with everyone who has written in it. */
export class SessionDto extends SessionItemDto {
  /** @example ["5001"] */
  participants!: string[];
}

/** Orders of the list of sessions. */
const SESSION_SORTS = ['created_at', 'last_active'] as const;

/** Selects sessions. */
export class SessionsQuery extends CursorQuery {
  /**
   * Those of one channel only, by its name in messages.
   * @example "telegram"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  channel?: string;

  @MayBeAbsent()
  @IsIn(SessionMode.enum)
  @ApiProperty({ enum: SessionMode.enum, required: false })
  mode?: SessionMode;

  /**
   * Those only in which this sender has written.
   * @example "5001"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  participant?: string;

  /**
   * Those only whose ID, channel or key contains this text, in any case.
   * @example "500"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  q?: string;

  /**
   * Those only with a message since then, in Unix milliseconds.
   * @example 1795766400000
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  active_since?: number;

  /**
   * The newest first: by creation, or by the newest message. The pages by the newest message are those of the time of the first
   * one: a session that is used meanwhile stays in its place.
   */
  @MayBeAbsent()
  @IsIn(SESSION_SORTS)
  @ApiProperty({ enum: SESSION_SORTS, required: false })
  sort?: (typeof SESSION_SORTS)[number];
}

/** A page may have fewer items than its limit, or none, and a `next`. */
export class SessionsDto {
  items!: ListedSessionDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A reaction to a message. */
export class ReactionDto {
  /** @example "5001" */
  sender!: string;
  /** @example "👍" */
  emoji!: string;
}

/** A message of a session with the standing blocks of its reply. */
export class HistoryItemDto {
  /** @example "m_4f61_a" */
  message_ref!: string;
  /** @example "msg-1" */
  message_id!: string;
  /** @example "channel:telegram" */
  principal!: string;
  /** @example "5001" */
  sender!: string;
  /** @example "Ann" */
  sender_name?: string;
  /** @example "What is new today?" */
  content!: string;
  @ApiPropertyOptional({ type: 'array', items: { type: 'object' }, example: [{ type: 'image', media_id: 'f_1' }] })
  attachments?: object[];
  @ApiProperty({ enum: ['queued', 'running', 'done', 'cancelled', 'failed', 'observed'] })
  status!: string;
  /** @example 1 */
  priority!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  received_at!: number;
  @ApiProperty({
    type: 'array',
    items: { type: 'object' },
    example: [{ block_id: 'b_1', block_type: 'text', content: 'Nothing yet.' }],
  })
  blocks!: object[];
  end?: MessageEndDto;
  reactions!: ReactionDto[];
  /**
   * The message that supersedes it in the agent's context.
   * @example "m_4f61_b"
   */
  superseded_by?: string;
}

/** A page of messages, oldest first; `next` leads to older ones. */
export class HistoryDto {
  items!: HistoryItemDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** The messages that are part of the agent's context, oldest first. */
export class ContextDto {
  items!: HistoryItemDto[];
}

/** A frame of a session's log. */
export class SessionFrameDto {
  /** @example 42 */
  seq!: number;
  /** @example "stream_block" */
  type!: string;
  /** @example "m_4f61_a" */
  message_ref!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  timestamp!: number;
  /** Empty in a frame whose message was erased. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { block_type: 'text', content: 'Nothing yet.' } })
  payload!: object;
}

/** Frames in the order of their seq. */
export class SessionFramesDto {
  items!: SessionFrameDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
  /**
   * The seq of the newest frame.
   * @example 42
   */
  head_seq!: number;
  /**
   * The oldest seq that retention has kept.
   * @example 1
   */
  first_seq!: number;
}

/** A message that an operator sends to a session. */
export class SendMessageDto {
  /** @example "Please check the order again." */
  @IsString()
  @Length(1, 65_536)
  content!: string;

  /**
   * Makes a repeat of the request a duplicate; by default a new one.
   * @example "note-1"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 128)
  id?: string;

  /**
   * Who says it; by default the operator.
   * @example "ann"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  sender?: string;
}
