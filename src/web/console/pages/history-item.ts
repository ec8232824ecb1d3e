import type { StreamBlock } from '../../../client/index.js';
import type { Step } from './turn-bar.js';

/** A message with its reply, as `GET /sessions/ID/messages` lists it. */
export interface HistoryItem {
  readonly message_ref: string;
  readonly sender: string;
  readonly sender_name?: string;
  readonly content: string;
  readonly attachments?: readonly { readonly kind: string; readonly media_id?: string; readonly name?: string }[];
  readonly status: string;
  /** Unix milliseconds. */
  readonly received_at: number;
  readonly blocks: readonly StreamBlock[];
  readonly end?: {
    readonly reason: string;
    /** Unix milliseconds. */
    readonly at: number;
    readonly code?: string;
    readonly message?: string;
    readonly merged_into?: string;
  };
  readonly superseded_by?: string;
}

/** The life of a message, as `GET /messages/REF` describes it. */
export interface MessageLife {
  readonly attempts: number;
  readonly steps: readonly Step[];
  readonly deliveries: readonly { readonly state: string; readonly reason?: string }[];
}
