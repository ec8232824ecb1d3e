import { ApiProperty } from '@nestjs/swagger';

/** A tool call that waits for a person. */
export class PendingApprovalDto {
  /** @example "ap_7" */
  approval_id!: string;
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /** @example "m_12" */
  message_ref!: string;
  /** @example "shell.run" */
  tool!: string;
  /**
   * The effect of the call, if the tool describes it.
   * @example "Writes the file notes.md"
   */
  detail?: string;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { path: 'notes.md' } })
  arguments!: unknown;

  /**
   * Send it with the decision, which applies to exactly these arguments.
   * @example "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
   */
  arguments_sha256!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  expires_at!: number;
}
