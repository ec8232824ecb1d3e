import { ApiProperty } from '@nestjs/swagger';

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
