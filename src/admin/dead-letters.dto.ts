import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Length, Min } from 'class-validator';
import { LimitQuery } from './agents.dto.js';

/** Selects dead letters. */
export class DeadLettersQuery extends LimitQuery {
  /** Those of one channel only, by its name in messages. */
  @IsOptional()
  @IsString()
  @Length(1, 256)
  channel?: string;

  /** The `next` of the page before. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  cursor?: number;
}

/** A message to a channel that was given up. */
export class DeadLetterDto {
  id!: number;
  channel!: string;
  /** The platform's ID of the chat. */
  chat!: string;
  /** The `message_ref` of the message that it replies to, or the ID of a note. */
  reply_to!: string;
  text!: string;
  reason!: string;
  /** Unix milliseconds. */
  created_at!: number;
}

export class DeadLettersDto {
  items!: DeadLetterDto[];
  next?: string;
}
