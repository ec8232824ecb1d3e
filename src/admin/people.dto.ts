import { IsString, Length } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';
import { CursorQuery } from './queue.dto.js';
import { MayBeAbsent } from '../http/index.js';

/** Selects people. */
export class PeopleQuery extends CursorQuery {
  /**
   * Those of one channel only, by its name in messages.
   * @example "telegram"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  channel?: string;

  /**
   * Those only whose ID contains this text, in any case.
   * @example "500"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  q?: string;
}

/** A sender of messages on a channel. */
export class PersonDto {
  /** @example "default" */
  tenant!: string;
  /** @example "telegram" */
  channel!: string;
  /** @example "5001" */
  sender!: string;
  /**
   * As its newest message has it.
   * @example "Ann"
   */
  name?: string;
  /**
   * The session in which it was met first.
   * @example "s_5b1f0c9a7d2e4f61"
   */
  session_id!: string;
  /**
   * When that session had its newest message, in Unix milliseconds.
   * @example 1795766400000
   */
  last_active!: number;
}

/** A page may have fewer items than its limit, or none, and a `next`. */
export class PeopleDto {
  items!: PersonDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** The numbers of what an erasure removed. */
export class ErasedDto {
  /** @example 12 */
  messages!: number;
  /** @example 11 */
  replies!: number;
  /**
   * Frames that have an empty payload now.
   * @example 48
   */
  frames!: number;
  /** @example 2 */
  media!: number;
  /** @example 3 */
  memories!: number;
}

/** The presence of a person. */
export class PresenceDto {
  /** @example "default" */
  tenant!: string;
  /** @example "telegram" */
  channel!: string;
  /** @example "5001" */
  user_id!: string;
  @ApiProperty({ enum: ['online', 'typing', 'idle'] })
  status!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  last_seen!: number;
}

/** By channel and ID. */
export class PresencesDto {
  items!: PresenceDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}
