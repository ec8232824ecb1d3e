import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsNotEmptyObject, IsObject, Min } from 'class-validator';
import { SETTING_SOURCES, type SettingSource } from '../core/config/load-settings.js';

/** A change of settings. */
export class ChangeConfigDto {
  /** The version that the change was made from, as GET told it. */
  @IsInt()
  @Min(0)
  version!: number;

  /** New values by dotted key; null takes a change at run time back. */
  @IsObject()
  @IsNotEmptyObject({ nullable: true })
  @ApiProperty({ type: 'object', additionalProperties: true, example: { 'agent.name': 'ada' } })
  changes!: Record<string, unknown>;
}

/** One setting. */
export class SettingDto {
  /** For example `agent.name`. */
  key!: string;

  /** The value in force; secrets read as `***`. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  value!: unknown;

  /** Where the value came from. */
  @ApiProperty({ enum: SETTING_SOURCES })
  source!: SettingSource;

  /** Whether a change comes into force with the next start only. */
  needs_restart!: boolean;

  description!: string;
}

/** All settings. */
export class ConfigDto {
  /** Grows with each change; send it with the next one. */
  version!: number;

  settings!: SettingDto[];
}

/** A change that was made. */
export class ConfigChangedDto {
  /** The new version. */
  version!: number;

  /** Keys whose change comes into force with the next start. */
  needs_restart!: string[];
}
