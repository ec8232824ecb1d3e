import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Length, Matches, Max, Min } from 'class-validator';
import { ANY_JSON, MayBeAbsent } from '../http/index.js';

/** Selects rows of the audit trail. */
export class AuditFilters {
  /**
   * The principal that made the change.
   * @example "ann"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  actor?: string;

  /** @example "settings.change" */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  action?: string;

  /**
   * From this time on, in Unix milliseconds.
   * @example 1795766400000
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  from?: number;

  /**
   * Before this time, in Unix milliseconds.
   * @example 1795852800000
   */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  to?: number;
}

/** Selects a page of the audit trail. */
export class AuditPageQuery extends AuditFilters {
  /** @example 50 */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;

  /**
   * The `next` of the page before.
   * @example "WzE3LCJ4Z2R6Il0"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 1_024)
  cursor?: string;
}

/** A head of the trail that was noted before. */
export class AuditVerifyQuery {
  /**
   * `ENTRY:HASH` from the log, from the manifest of a backup or from an earlier check: the trail must still have that row.
   * @example "1041:94fe28de94442b08657d9e511dfe03bdc4e8fdcf209caac94dcbb2dd6931470e"
   */
  @MayBeAbsent()
  @Matches(/^\d{1,15}:[0-9a-f]{64}$/, { message: 'known must be ENTRY:HASH' })
  known?: string;
}

/** A person of a channel. */
export class AuditPersonDto {
  /** @example "telegram" */
  channel!: string;
  /** @example "5001" */
  sender!: string;
}

/** A row of the audit trail. */
export class AuditRowDto {
  /**
   * Counts the rows of all tenants, from 1 without gaps.
   * @example 1041
   */
  entry!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  at!: number;
  /**
   * `*` for what belongs to the whole gateway.
   * @example "default"
   */
  tenant!: string;
  /**
   * The principal that made the change; `gateway` if it happened automatically.
   * @example "ann"
   */
  actor!: string;
  /** @example "settings.change" */
  action!: string;
  /**
   * The ID of what was changed.
   * @example "settings"
   */
  target!: string;
  /**
   * The ID that stands for a person of a channel.
   * @example "p_Okjm9DkCWu1Ou-8z"
   */
  subject?: string;
  /** The person of `subject`, until the erasure. */
  person?: AuditPersonDto;
  /** The state before the change; null if there was none. */
  @ApiProperty({ ...ANY_JSON, example: { 'agent.name': 'openclaw' } })
  before!: unknown;
  /** The state after the change. */
  @ApiProperty({ ...ANY_JSON, example: { 'agent.name': 'ada' } })
  after!: unknown;
  /**
   * The hash of the row.
   * @example "94fe28de94442b08657d9e511dfe03bdc4e8fdcf209caac94dcbb2dd6931470e"
   */
  hash!: string;
}

export class AuditRowsDto {
  items!: AuditRowDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** The newest row: its number and its hash. Note it elsewhere to notice later that rows were removed. */
export class AuditHeadDto {
  /** @example 1041 */
  entry!: number;
  /** @example "94fe28de94442b08657d9e511dfe03bdc4e8fdcf209caac94dcbb2dd6931470e" */
  hash!: string;
}

/** The result of a check of the whole trail. */
export class AuditVerdictDto {
  /** True if all rows are there, unchanged and in order. */
  ok!: boolean;
  head!: AuditHeadDto;
  /**
   * The oldest row that retention has left.
   * @example 1
   */
  oldest?: number;
  /**
   * The first row that is missing or changed, or the one of `known`.
   * @example 17
   */
  broken_at?: number;
  /** `differs`: the trail has another row in place of that of `known`. It is another copy, or rows were changed. */
  @ApiProperty({ enum: ['missing', 'changed', 'differs'] })
  fault?: 'missing' | 'changed' | 'differs';
}
