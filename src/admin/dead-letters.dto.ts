import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Length } from 'class-validator';
import type { PartText, Place } from '../core/channels/driver.js';
import { toPlainText } from '../core/channels/kit/text-length.js';
import { DEFAULT_TENANT } from '../core/identity/principal.js';
import type { DeadLetter } from '../core/store/index.js';
import { CursorQuery } from './queue.dto.js';
import { MayBeAbsent } from '../http/index.js';

/** The receiver of a dead letter: `channel` for the chat of a channel. */
export const DEAD_LETTER_KINDS = ['channel'] as const;
export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

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

  /**
   * Those of one kind only.
   * @example "channel"
   */
  @MayBeAbsent()
  @IsIn(DEAD_LETTER_KINDS)
  kind?: DeadLetterKind;
}

/** A message to a channel that was given up. */
export class DeadLetterDto {
  /** @example 17 */
  id!: number;
  /**
   * Its receiver.
   * @example "channel"
   */
  @ApiProperty({ enum: DEAD_LETTER_KINDS })
  kind!: DeadLetterKind;
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

/** Returns what the API says of a dead letter. */
export function toDeadLetterDto(letter: DeadLetter): DeadLetterDto {
  const { id, channel, place, replyTo, content = '[]', reason = '', createdAt } = letter;
  return {
    id,
    kind: 'channel',
    // Channels belong to the first tenant.
    tenant: DEFAULT_TENANT,
    channel,
    chat: (JSON.parse(place) as Place).chat,
    reply_to: replyTo,
    text: toPlainText(JSON.parse(content) as readonly PartText[]),
    reason,
    created_at: createdAt,
  };
}
