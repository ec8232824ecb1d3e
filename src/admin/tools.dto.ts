import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsObject, IsString, Length } from 'class-validator';
import { TOOL_ERROR_CODES } from '../core/tools/tool.js';
import { ANY_JSON, MayBeAbsent } from '../http/index.js';

/** A registered tool. */
export class ToolDto {
  /** @example "http.fetch" */
  name!: string;
  /** @example "Fetches a page." */
  description!: string;

  /** The JSON Schema of the parameters. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
  })
  parameters!: object;

  /**
   * The calling session must hold all of them.
   * @example ["http"]
   */
  permissions!: string[];
  /** @example 30000 */
  timeout_ms!: number;
  /** True if the same call may run again if a crash has hidden its outcome. */
  idempotent!: boolean;
  /** True if it runs in a sandbox. */
  sandbox!: boolean;
  /** True if each call needs a person's approval. */
  needs_approval!: boolean;
  /** False while `tools.disabled` names it. */
  enabled!: boolean;
}

export class ToolsDto {
  items!: ToolDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A change of a tool; absent fields stay as they are. */
export class ChangeToolDto {
  /** False: no agent may call it. */
  @MayBeAbsent()
  @IsBoolean()
  enabled?: boolean;

  /** True: a person decides on each call. */
  @MayBeAbsent()
  @IsBoolean()
  needs_approval?: boolean;
}

/** A call of a tool. */
export class CallToolDto {
  /** The arguments, as the tool's schema describes them. */
  @MayBeAbsent()
  @IsObject()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { time_zone: 'Europe/Paris' } })
  parameters?: object;

  /**
   * The session in which it is called, with its permissions, memories and files. Without one it is the caller's own. A call that needs
   * an approval needs one.
   * @example "s_5b1f0c9a7d2e4f61"
   */
  @MayBeAbsent()
  @IsString()
  @Length(1, 256)
  session_id?: string;
}

/** The end of a call that was made. */
export class ToolCallDto {
  /** @example "3f1c8f4e-7a7b-4a43-9c0e-0e7a3f9d2b51" */
  call_id!: string;
  /** False if the tool failed or did not end in time. */
  ok!: boolean;

  /** The result. */
  @ApiProperty({
    ...ANY_JSON,
    required: false,
    example: { iso: '2026-11-27T08:00:00.000Z', unix_ms: 1795766400000, local: '2026-11-27 09:00:00 Europe/Paris' },
  })
  content?: unknown;

  /** Why it failed. */
  @ApiProperty({ enum: TOOL_ERROR_CODES, required: false })
  code?: string;
  /** @example "The tool \"time.now\" failed: the clock is away" */
  message?: string;
}
