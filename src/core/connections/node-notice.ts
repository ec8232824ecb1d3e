import type { Trace } from '../telemetry/traceparent.js';

/** Something for the connection of a device node. */
export type NodeNotice = { readonly kind: 'node' } & (
  | {
      readonly what: 'registered';
      readonly requestId: string;
      /** Names of commands that are tools now, and of those that wait for an operator. */
      readonly accepted: readonly string[];
      readonly waiting: readonly string[];
      readonly refused: readonly { readonly name: string; readonly reason: string }[];
      /** By name: time limits that were cut, in milliseconds. */
      readonly timeouts: Readonly<Record<string, number>>;
    }
  | {
      readonly what: 'call';
      readonly sessionId: string;
      readonly callId: string;
      readonly command: string;
      readonly parameters: unknown;
      readonly timeoutMs: number;
      readonly isIdempotent: boolean;
      readonly trace: Trace | undefined;
    }
  | { readonly what: 'cancel'; readonly callId: string }
  | { readonly what: 'resultTaken'; readonly requestId: string; readonly callId: string }
  | { readonly what: 'eventTaken'; readonly requestId: string; readonly eventId: string }
);
