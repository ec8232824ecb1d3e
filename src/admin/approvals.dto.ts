import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { MayBeAbsent } from '../http/index.js';
import { CursorQuery } from './queue.dto.js';

/** A tool call that a person decides on. */
export class ApprovalDto {
  /** @example "ap_7" */
  approval_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /**
   * The message that the call is for; absent for a call outside of turns.
   * @example "m_12"
   */
  message_ref?: string;
  /**
   * The channel of the message; absent once the message is deleted.
   * @example "telegram"
   */
  channel?: string;
  /**
   * Who has written the message.
   * @example "5001"
   */
  sender?: string;
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
  /** Absent while it waits. */
  @ApiProperty({ enum: ['allow', 'deny', 'expired'], required: false })
  decision?: string;
  /** @example "ann" */
  decided_by?: string;
}

/** States of approvals. */
const APPROVAL_STATES = ['pending', 'allowed', 'denied', 'expired'] as const;

/** Selects approvals. */
export class ApprovalsQuery extends CursorQuery {
  /** By default those that wait. */
  @MayBeAbsent()
  @IsIn(APPROVAL_STATES)
  @ApiProperty({ enum: APPROVAL_STATES, required: false })
  state?: (typeof APPROVAL_STATES)[number];
}

/** A page may have fewer items than its limit, or none, and a `next`. */
export class ApprovalsDto {
  items!: ApprovalDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A decision on a tool call. */
export class DecideApprovalDto {
  @IsIn(['allow', 'deny'])
  @ApiProperty({ enum: ['allow', 'deny'] })
  decision!: 'allow' | 'deny';

  /**
   * The hash of the arguments that were shown.
   * @example "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
   */
  @Matches(/^[0-9a-f]{64}$/, { message: 'must be the SHA-256 of the arguments, in hexadecimal' })
  arguments_sha256!: string;
}
