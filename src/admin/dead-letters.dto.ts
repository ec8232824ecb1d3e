import { IsString, Length } from 'class-validator';
import { CursorQuery } from './queue.dto.js';
import { MayBeAbsent } from '../http/index.js';

/** Selects dead letters. */
export class DeadLettersQuery extends CursorQuery {
  /**
   * Those of one channel only, by its name in messages.
   * @example "telegram"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  channel?: string;
}

/** A message to a channel that was given up. */
export class DeadLetterDto {
  /** @example 17 */
  id!: number;
  /** @example "default" */
  tenant!: string;
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
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}
