import type { TSchema, Static } from 'typebox';
import { errorTable, type ErrorCode, type ErrorDetails, type PayloadFault } from '../../protocol/domain.js';
import type { ClientKey, Session } from '../store/index.js';

/** What a tool is told of the call besides its parameters. */
export interface ToolCallContext {
  /** The same for every run of the same call, after a crash too: a key for idempotent effects. */
  readonly callId: string;
  readonly session: Session;
  /** Who sent the message that the call answers. */
  readonly caller: ClientKey;
  /** Tells readers how far the call is, in a few words; shown as `tool_status` progress. */
  readonly reportProgress: (detail: string) => void;
  /** Aborts at the timeout and when the turn is cancelled; a result that comes later is dropped. */
  readonly signal: AbortSignal;
}

/** Runs the call. What it returns must be JSON; what it throws becomes TOOL_FAILED with the error's message. */
export type ToolHandler<P extends TSchema = TSchema> = (parameters: Static<P>, context: ToolCallContext) => unknown;

/** What a tool says of itself (the chapter's ToolDefinition). */
export interface ToolDescription<P extends TSchema = TSchema> {
  /** Unique; letters, digits, `_`, `-` and `.`; case-sensitive, without aliases. */
  readonly name: string;
  /** For the model and for people. */
  readonly description: string;
  readonly parameters: P;
  /** Permission scopes that the session must hold, all of them. */
  readonly permissions: readonly string[];
  readonly timeoutMs: number;
  /**
   * Whether the same call may run again after a crash has hidden its outcome. A tool that is not idempotent is started
   * at most once for a call.
   */
  readonly idempotent: boolean;
  /** Whether a person must approve each call. */
  readonly requiresApproval: boolean;
  /** Whether it runs commands, which only a sandbox may: without an engine for one its calls are refused. */
  readonly sandbox: boolean;
}

export interface ToolDefinition<P extends TSchema = TSchema> extends ToolDescription<P> {
  readonly handler: ToolHandler<P>;
  /** Checks parameters in place of the schema: for schemas of others, which come and go and are compiled by somebody else. */
  readonly findFaults?: (parameters: unknown) => readonly PayloadFault[];
}

/** The error codes a tool call can end with. */
export type ToolErrorCode = Extract<ErrorCode, `TOOL_${string}`>;

export const TOOL_ERROR_CODES = (Object.keys(errorTable) as ErrorCode[]).filter((code): code is ToolErrorCode =>
  code.startsWith('TOOL_'),
);

/** How a call ended. A failure is a value: the turn goes on and the agent is told. */
export type ToolOutcome =
  | { readonly ok: true; readonly content: unknown }
  | {
      readonly ok: false;
      readonly code: ToolErrorCode;
      readonly message: string;
      readonly details: ErrorDetails[ToolErrorCode];
    };
