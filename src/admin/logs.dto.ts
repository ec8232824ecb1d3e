import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsNotEmptyObject, IsObject, IsString, Length } from 'class-validator';
import { LOG_LEVELS, SUBSYSTEMS, type Subsystem } from '../core/telemetry/logs.js';
import { ANY_JSON, MayBeAbsent } from '../http/index.js';
import type { LogLevel } from '../protocol/index.js';
import { CursorQuery } from './queue.dto.js';

/** Selects lines of the logs. */
export class LogsQuery extends CursorQuery {
  @MayBeAbsent()
  @IsIn(SUBSYSTEMS)
  @ApiProperty({ enum: SUBSYSTEMS })
  subsystem?: Subsystem;

  /** The least level. */
  @MayBeAbsent()
  @IsIn(LOG_LEVELS)
  @ApiProperty({ enum: LOG_LEVELS })
  level?: LogLevel;

  /**
   * A text in the line, in any case.
   * @example "telegram"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  q?: string;

  /**
   * Sends the lines as Server-Sent Events, as they are written; after `Last-Event-ID` if the request has it.
   * @example true
   */
  @MayBeAbsent()
  @Transform(({ value }: { readonly value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  follow?: boolean;
}

/** A line of the logs. */
export class LogLineDto {
  /**
   * Names the line for `Last-Event-ID`.
   * @example "5b6c1a0f-1041"
   */
  id!: string;
  /**
   * The gateway process that wrote it.
   * @example "r_0a1b2c3d4e5f"
   */
  replica!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  at!: number;
  @ApiProperty({ enum: LOG_LEVELS })
  level!: LogLevel;
  @ApiProperty({ enum: SUBSYSTEMS })
  subsystem!: string;
  /** @example "a message waits" */
  message!: string;
  /** The other fields of the line; secrets are hidden. */
  @ApiProperty({ type: 'object', additionalProperties: ANY_JSON, example: { depth: 3 } })
  fields!: Record<string, unknown>;
}

export class LogLinesDto {
  items!: LogLineDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** New levels of subsystems; null for the common one, `log.level`. */
export class ChangeLogLevelsDto {
  @IsObject()
  @IsNotEmptyObject({ nullable: true })
  @ApiProperty({
    type: 'object',
    additionalProperties: { enum: [...LOG_LEVELS], nullable: true },
    example: { gateway: 'debug' },
  })
  levels!: Record<string, unknown>;
}

/** The levels of all subsystems. */
export class LogLevelsDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: { enum: [...LOG_LEVELS] },
    example: { gateway: 'debug', queue: 'info' },
  })
  levels!: Record<string, LogLevel>;
}
