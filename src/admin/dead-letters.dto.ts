import { Type } from 'class-transformer';
import { IsInt, IsString, Length, Min } from 'class-validator';
import { LimitQuery } from './agents.dto.js';
import { MayBeAbsent } from '../http/index.js';

/** Selects dead letters. */
export class DeadLettersQuery extends LimitQuery {
  /**
   * Those of one channel only, by its name in messages.
   * @example "telegram"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  channel?: string;

  /**
   * The `next` of the page before.
   * @example 17
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  cursor?: number;
}

/** A message to a channel that was given up. */
export class DeadLetterDto {
  /** @example 17 */
  id!: number;
  /** @example "telegram" */
  channel!: string;
  /**
   * The platform's ID of the chat.
   * @example "5001"
   */
  chat!: string;
  /**
   * The `message_ref` of the message that it replies to, or the ID of a note.
   * @example "m_12"
   */
  reply_to!: string;
  /** @example "Your parcel is on its way." */
  text!: string;
  /** @example "Forbidden: bot was blocked by the user" */
  reason!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
}

export class DeadLettersDto {
  items!: DeadLetterDto[];
  /** @example "17" */
  next?: string;
}
