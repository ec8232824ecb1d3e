import Type, { type Static } from 'typebox';
import { ENVELOPE_LIMITS } from './constants.js';
import { text } from './text.js';

export {
  BEARER_SUBPROTOCOL_PREFIX,
  ENVELOPE_LIMITS,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
  TOKEN_PATTERN,
} from './constants.js';

/** The envelope of every inbound frame. */
export const InboundEnvelope = Type.Object(
  {
    type: Type.String({ description: 'One of the inbound types, or `vendor.name` for an extension.' }),
    id: text(
      { min: 1, max: ENVELOPE_LIMITS.maxIdLength, controls: false },
      'Chosen by the sender, unique for its (principal, client_id). Repeating it is how a client retries safely.',
    ),
    timestamp: Type.Integer({ description: "The sender's clock in Unix milliseconds; never used for order." }),
    session_id: Type.Optional(text({ min: 1, max: 128, controls: false }, 'The target session.')),
    payload: Type.Object({}, { description: 'By type.' }),
  },
  { additionalProperties: false },
);
export type InboundEnvelope = Static<typeof InboundEnvelope>;

/** The envelope of every outbound frame. */
export interface OutboundEnvelope<T extends string = string, P extends object = object> {
  readonly type: T;
  readonly id: string;
  /** Unix milliseconds, the gateway's clock. */
  readonly timestamp: number;
  readonly session_id?: string;
  readonly payload: P;
  /** On durable frames: the position in the session's log, dense from 1. */
  readonly seq?: number;
  /** The `id` of the inbound frame that this one responds to. */
  readonly correlation_id?: string;
}
