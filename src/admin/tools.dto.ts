import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { MayBeAbsent } from '../http/index.js';

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
