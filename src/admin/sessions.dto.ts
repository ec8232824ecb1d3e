import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsOptional, IsString, Length } from 'class-validator';
import { SessionMode } from '../protocol/index.js';

/** A change of a session; absent fields stay as they are. */
export class ChangeSessionDto {
  @IsOptional()
  @IsIn(SessionMode.enum)
  @ApiProperty({ enum: SessionMode.enum, required: false })
  mode?: SessionMode;

  /** In a group: answer every message, not only those that address the agent. */
  @IsOptional()
  @IsBoolean()
  explicit_activation?: boolean;

  /**
   * Permissions of the session for tools, besides `tools.default_permissions`.
   * @example ["http","node:kitchen-mac"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @Length(1, 256, { each: true })
  tool_permissions?: string[];
}

/** A session. */
export class SessionDto {
  /** @example "s_5b1f0c9a7d2e4f61" */
  id!: string;
  @ApiProperty({ enum: SessionMode.enum })
  mode!: SessionMode;
  /** @example "telegram" */
  channel!: string;
  /**
   * The ID of its agent.
   * @example "main"
   */
  agent!: string;
  /**
   * The parts of its key: sender, group and thread, or queue.
   * @example ["5001"]
   */
  key!: string[];
  /** @example ["5001"] */
  participants!: string[];
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  last_active!: number;
  /** @example ["http"] */
  tool_permissions!: string[];
  explicit_activation!: boolean;
  /**
   * The model that was chosen for it with `/model`.
   * @example "anthropic/claude-sonnet-4-5"
   */
  model?: string;
  /**
   * The seq of its newest frame.
   * @example 42
   */
  head_seq!: number;
}
