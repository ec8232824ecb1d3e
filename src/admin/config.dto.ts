import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsNotEmptyObject, IsObject, Max, Min } from 'class-validator';
import { SCOPES, type Scope } from '../protocol/index.js';
import { ANY_JSON } from '../http/index.js';
import { SETTING_SOURCES, type SettingSource } from '../core/config/load-settings.js';

/** A change of settings. */
export class ChangeConfigDto {
  /**
   * The version that the change is based on, from GET.
   * @example 3
   */
  @IsInt()
  @Min(0)
  version!: number;

  /** New values by dotted key; null removes a change made at run time. */
  @IsObject()
  @IsNotEmptyObject({ nullable: true })
  @ApiProperty({ type: 'object', additionalProperties: true, example: { 'agent.name': 'ada' } })
  changes!: Record<string, unknown>;
}

/** One setting. */
export class SettingDto {
  /**
   * Dotted key, for example `agent.name`.
   * @example "agent.name"
   */
  key!: string;

  /** The current value; secrets read as `***`. */
  @ApiProperty({ ...ANY_JSON, example: 'ada' })
  value!: unknown;

  /** The source of the value. */
  @ApiProperty({ enum: SETTING_SOURCES })
  source!: SettingSource;

  /** True if a change takes effect only at the next start. */
  needs_restart!: boolean;

  /** True if the value is not in force yet, but will be with the next start. */
  pending!: boolean;

  /** The scope that a caller needs to change it. */
  @ApiProperty({ enum: SCOPES })
  scope!: Scope;

  /** @example "The name that mentions use." */
  description!: string;
}

/** All settings. */
export class ConfigDto {
  /**
   * Grows with each change; send it with the next change.
   * @example 3
   */
  version!: number;

  settings!: SettingDto[];
}

/** The result of a change. */
export class ConfigChangedDto {
  /**
   * The new version.
   * @example 4
   */
  version!: number;

  /**
   * Keys whose change takes effect at the next start.
   * @example ["gateway.port"]
   */
  needs_restart!: string[];
}

/** A change of settings at run time. */
export class ConfigVersionDto {
  /**
   * The version that it has made.
   * @example 4
   */
  version!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  at!: number;
  /**
   * Who has made it.
   * @example "ann"
   */
  actor!: string;
  /** The stored values before it by dotted key; null where nothing was stored. Secrets read as `***`. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { 'agent.name': null } })
  before!: object;
  /** The stored values after it. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { 'agent.name': 'ada' } })
  after!: object;
}

export class ConfigHistoryDto {
  items!: ConfigVersionDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** The version whose values are brought back. */
export class RevertConfigDto {
  /** @example 3 */
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  version!: number;
}
