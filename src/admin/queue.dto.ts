import { Type } from 'class-transformer';
import { IsInt, IsString, Length, Max, Min } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';
import { PRIORITIES } from '../core/store/index.js';
import { MayBeAbsent } from '../http/index.js';

/** Maximum length of a cursor in characters. */
const MAX_CURSOR_LENGTH = 1_024;

/** Selects a page of a list whose cursors are opaque. */
export class CursorQuery {
  /** @example 50 */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;

  /**
   * The `next` of the page before, with the same filters.
   * @example "WzE3LCJ4Z2R6Il0"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, MAX_CURSOR_LENGTH)
  cursor?: string;
}

/** Selects waiting messages. */
export class QueueQuery extends CursorQuery {
  /**
   * Those of one session only.
   * @example "s_5b1f0c9a7d2e4f61"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  session_id?: string;
}

/** A message that waits. */
export class QueuedMessageDto {
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "m_4f61_a" */
  message_ref!: string;
  /** @example "telegram" */
  channel!: string;
  /** @example "5001" */
  sender!: string;
  @ApiProperty({ enum: PRIORITIES })
  priority!: number;
  /**
   * Number of waiting messages ahead of it in its session.
   * @example 0
   */
  position!: number;
  /**
   * Time since it was received, in milliseconds.
   * @example 1200
   */
  age_ms!: number;
  /**
   * The message of its session that runs now.
   * @example "m_4f61_9"
   */
  running_ref?: string;
}

/** The waiting messages, oldest first, with the counts of the tenant. */
export class QueueDto {
  /** @example 12 */
  waiting!: number;
  /** @example 4 */
  running!: number;
  /**
   * Age of the oldest waiting message in milliseconds; 0 if none waits.
   * @example 1200
   */
  oldest_age_ms!: number;
  items!: QueuedMessageDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A running turn, with its current step. */
const TURN_STEPS = ['model', 'tool', 'approval'] as const;

/** A turn that runs. */
export class TurnDto {
  /** @example "m_4f61_9" */
  message_ref!: string;
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "telegram" */
  channel!: string;
  /** @example "5001" */
  sender!: string;
  /** @example "main" */
  agent!: string;
  /**
   * Number of this run of the message, from 1.
   * @example 1
   */
  attempt!: number;
  /**
   * When this run began, in Unix milliseconds.
   * @example 1795766400000
   */
  since!: number;
  /** `approval`: it waits for a person's decision on a tool call. */
  @ApiProperty({ enum: TURN_STEPS })
  step!: (typeof TURN_STEPS)[number];
  /**
   * The tool that runs, or that is to be decided on.
   * @example "http.fetch"
   */
  tool?: string;
}

export class TurnsDto {
  items!: TurnDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A connection of a client. */
export class ConnectionDto {
  /** @example "0b9c1c5e-6f1b-4a57-9a4c-0c8f9e8f6d11" */
  connection_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "c-1" */
  client_id!: string;
  /** @example "ann" */
  principal!: string;
  @ApiProperty({ enum: ['operator', 'channel', 'user', 'node'] })
  role!: string;
  /**
   * The channels that its credential is bound to; absent if to none.
   * @example ["webchat"]
   */
  channels?: string[];
  /**
   * The one sender that it speaks as.
   * @example "ann"
   */
  sender?: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  connected_at!: number;
  /**
   * When its credential expires, in Unix milliseconds.
   * @example 1795766400000
   */
  expires_at?: number;
  /**
   * Bytes sent that it has not taken yet.
   * @example 0
   */
  buffered_bytes!: number;
}

export class ConnectionsDto {
  items!: ConnectionDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** Why a connection is closed. */
export class CloseConnectionQuery {
  /**
   * For the audit trail.
   * @example "a lost phone"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  reason?: string;
}

/** The acknowledgement of a message, as in `message_ack`. */
export class AcceptedMessageDto {
  /** @example "m_4f61_b" */
  message_ref!: string;
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /** `duplicate`: it was accepted before. */
  @ApiProperty({ enum: ['queued', 'duplicate', 'observed'] })
  status!: string;
  /**
   * Number of waiting messages ahead of it in its session.
   * @example 0
   */
  position!: number;
  /**
   * The message of its session that ran when it was accepted.
   * @example "m_4f61_9"
   */
  running_ref?: string;
}
