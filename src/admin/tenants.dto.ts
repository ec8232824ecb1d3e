import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsObject, Max, Min } from 'class-validator';
import { MayBeAbsent } from '../http/index.js';
import { CursorQuery } from './queue.dto.js';

/** What usage is summed by. */
const USAGE_KEYS = ['tenant', 'sender', 'agent', 'model'] as const;

/** The last moment of a date. */
const MAX_TIME = 8_640_000_000_000_000;

const NUMBERS = { type: 'object', additionalProperties: { type: 'number' } } as const;
const CHANGES = { type: 'object', additionalProperties: { type: 'number', nullable: true } } as const;

/** A tenant with its limits and quotas, and what it has used of its daily quotas. */
export class TenantDto {
  /** @example "acme" */
  name!: string;
  /** Limits in place of those of `limits.*`. */
  @ApiProperty({ ...NUMBERS, example: { messages_per_minute: 60 } })
  limits!: object;
  @ApiProperty({ ...NUMBERS, example: { tokens_per_day: 1_000_000, turns: 4 } })
  quotas!: object;
  /** Use of today, for each daily quota that is set. */
  @ApiProperty({ ...NUMBERS, example: { tokens_per_day: 812_000 } })
  used!: object;
  /**
   * When the next day begins, in Unix milliseconds.
   * @example 1795824000000
   */
  resets_at!: number;
}

/** A page may have fewer items than its limit, or none, and a `next`. */
export class TenantsDto {
  items!: TenantDto[];
  /** @example "WyJhY21lIl0" */
  next?: string;
}

/** Fields to change; null removes one. */
export class ChangeTenantDto {
  @ApiPropertyOptional({ ...CHANGES, example: { messages_per_minute: 60 } })
  @MayBeAbsent()
  @IsObject()
  limits?: Readonly<Record<string, unknown>>;

  @ApiPropertyOptional({ ...CHANGES, example: { tokens_per_day: 1_000_000, turns: null } })
  @MayBeAbsent()
  @IsObject()
  quotas?: Readonly<Record<string, unknown>>;
}

/** Selects usage. Times count by the quarter of an hour that they lie in. */
export class UsageQueryDto extends CursorQuery {
  /** The field by which usage is summed; by default `tenant`. */
  @ApiProperty({ enum: USAGE_KEYS, required: false })
  @MayBeAbsent()
  @IsIn(USAGE_KEYS)
  by?: (typeof USAGE_KEYS)[number];

  /**
   * From this time on, in Unix milliseconds; by default from the beginning of today.
   * @example 1795737600000
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_TIME)
  from?: number;

  /**
   * Before this time, in Unix milliseconds; by default until the end of today.
   * @example 1795824000000
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_TIME)
  to?: number;
}

/** What models have used. */
export class UsageDto {
  /** @example "acme" */
  tenant!: string;
  /**
   * By sender.
   * @example "telegram"
   */
  channel?: string;
  /**
   * By sender.
   * @example "5001"
   */
  sender?: string;
  /**
   * By agent.
   * @example "main"
   */
  agent?: string;
  /**
   * By model.
   * @example "openai/gpt-4.1"
   */
  model?: string;
  /**
   * Answers of models.
   * @example 42
   */
  answers!: number;
  /** @example 120000 */
  input_tokens!: number;
  /**
   * Those of the input tokens that the provider had cached.
   * @example 80000
   */
  cached_input_tokens!: number;
  /** @example 9000 */
  output_tokens!: number;
  /**
   * In the currency of `prices`.
   * @example 0.31
   */
  cost!: number;
}

/** A page may have fewer items than its limit, or none, and a `next`. */
export class UsagesDto {
  items!: UsageDto[];
  /** @example "WyJhY21lIl0" */
  next?: string;
  /** @example 1795737600000 */
  from!: number;
  /** @example 1795824000000 */
  to!: number;
}
