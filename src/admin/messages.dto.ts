import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The use of a model by a message. */
const USAGE = {
  type: 'object',
  additionalProperties: true,
  example: { input_tokens: 812, output_tokens: 64 },
} as const;

/** A part of the life of a message. */
export class MessageStepDto {
  @ApiProperty({ enum: ['wait', 'model', 'tool', 'approval', 'delivery'] })
  kind!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  started_at!: number;
  /**
   * Unix milliseconds; absent while it goes on, and of a delivery.
   * @example 1795766401200
   */
  ended_at?: number;
  /** @example "http.fetch" */
  tool?: string;
  /**
   * Who has decided; `gateway` if the time was over.
   * @example "ann"
   */
  decided_by?: string;
  @ApiPropertyOptional(USAGE)
  usage?: object;
}

/** The end of a message. */
export class MessageEndDto {
  @ApiProperty({ enum: ['stop', 'cancelled', 'error', 'merged'] })
  reason!: string;
  /**
   * Unix milliseconds.
   * @example 1795766401200
   */
  at!: number;
  /**
   * The code of the error.
   * @example "AGENT_FAILED"
   */
  code?: string;
  /** @example "The model refused the request" */
  message?: string;
  /**
   * The message whose reply answers it too.
   * @example "m_4f61_9"
   */
  merged_into?: string;
  @ApiPropertyOptional(USAGE)
  usage?: object;
}

/** A part of the reply that a channel sends. */
export class MessageDeliveryDto {
  /**
   * The place among the parts of the reply, from 0.
   * @example 0
   */
  number!: number;
  /** `dead`: it was given up. */
  @ApiProperty({ enum: ['waiting', 'sending', 'sent', 'dead'] })
  state!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /**
   * The platform's ID of what was sent.
   * @example "42"
   */
  ref?: string;
  /** @example "Forbidden: bot was blocked by the user" */
  reason?: string;
}

/** The life of a message. What retention has deleted is missing. */
export class MessageDto {
  /** @example "m_4f61_a" */
  message_ref!: string;
  /**
   * The ID that its client gave it.
   * @example "msg-1"
   */
  message_id!: string;
  /** @example "s_5b1f0c9a7d2e4f61" */
  session_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "telegram" */
  channel!: string;
  /** @example "main" */
  agent!: string;
  /** @example "5001" */
  sender!: string;
  /** @example "channel:telegram" */
  principal!: string;
  /** @example "telegram" */
  client_id!: string;
  @ApiProperty({ enum: ['queued', 'running', 'done', 'cancelled', 'failed', 'observed'] })
  status!: string;
  /** @example 1 */
  priority!: number;
  /**
   * When it was stored, and with that acknowledged, in Unix milliseconds.
   * @example 1795766400000
   */
  received_at!: number;
  /**
   * Number of its runs.
   * @example 1
   */
  attempts!: number;
  /** @example "What is new today?" */
  content!: string;
  steps!: MessageStepDto[];
  end?: MessageEndDto;
  deliveries!: MessageDeliveryDto[];
  /**
   * The message that supersedes it.
   * @example "m_4f61_b"
   */
  superseded_by?: string;
}
