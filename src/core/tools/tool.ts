import type { TSchema, Static } from 'typebox';
import {
  errorTable,
  type BlockType,
  type ErrorCode,
  type ErrorDetails,
  type PayloadFault,
} from '../../protocol/domain.js';
import type { AgentDefinition } from '../agents/agent-definition.js';
import type { PersonalTurn } from '../questions/question.js';
import type { ShowCall } from '../questions/questions.service.js';
import type { ClientKey, Session } from '../store/index.js';
import type { Trace } from '../telemetry/traceparent.js';

/** A block that a tool adds to the reply. */
export interface AddedBlock {
  readonly type: BlockType;
  readonly content: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The turn that calls a tool. */
export interface CallingTurn {
  readonly messageRef: string;
  /** The IDs of the agents that wait for this turn to answer their question, the first one that asked first. */
  readonly chain: readonly string[];
  /** The turn of the person on whose behalf agents ask each other: itself, unless it answers a question. */
  readonly personal: PersonalTurn;
  /** Shows a call of an agent that this turn has asked. */
  readonly show: ShowCall;
  /** Adds a block to the reply, in the commit of the call's result. It is dropped if the call fails. */
  readonly addBlock: (block: AddedBlock) => void;
}

/** The context of a call, besides its parameters. */
export interface ToolCallContext {
  /** The same for every run of the call, also after a crash. Use it as a key for idempotent effects. */
  readonly callId: string;
  readonly session: Session;
  /** The client that sent the message of the turn. */
  readonly caller: ClientKey;
  /** The turn that calls it; undefined for a call outside of turns. */
  readonly turn?: CallingTurn;
  /** The agent that calls it. */
  readonly agent: AgentDefinition;
  /** The trace context for requests of the call (`traceparent`); undefined if no traces are made. */
  readonly trace?: Trace | undefined;
  /** Reports the progress of the call in a few words. Clients get it as a `tool_status`. */
  readonly reportProgress: (detail: string) => void;
  /** Aborts at the timeout and when the turn is cancelled. A later result is dropped. */
  readonly signal: AbortSignal;
  /** The {@link CallReview.shown} that a person has approved; undefined if the tool showed nothing. */
  readonly approved?: string | undefined;
}

/** The context of a review. The call has not started, and may never start. */
export type ReviewContext = Pick<ToolCallContext, 'callId' | 'session' | 'caller' | 'agent' | 'signal'>;

/** The review of a call by its tool, before the call starts. */
export interface CallReview {
  /** True if a person must approve this call. The settings can require it too. */
  readonly needsApproval: boolean;
  /** The effect of the call, in a line for the person who decides. Text from elsewhere belongs in quotes. */
  readonly shown?: string;
  /** The parameters as people see them, if the call's own hold a secret. */
  readonly shownParameters?: unknown;
}

/**
 * Looks at a call with valid parameters before it starts, within the time limit of the tool and without an effect. An error
 * ends the call as TOOL_FAILED with its message, and people do not see its parameters. Time passes until the call is
 * approved: a handler whose subject can change compares {@link ToolCallContext.approved} with what the call would do now.
 */
export type ToolReview<P extends TSchema = TSchema> = (
  parameters: Static<P>,
  context: ReviewContext,
) => CallReview | Promise<CallReview>;

/** A picture that a call shows beside its result: a stored file of the session. */
export interface ShownImage {
  readonly mediaId: string;
  readonly mimeType: string;
  /** For people who do not see it. */
  readonly alt: string;
}

/** A result with pictures. People see them, and so do models that take pictures. */
export class ToolResult {
  /** @param content JSON */
  constructor(
    readonly content: unknown,
    readonly images: readonly ShownImage[],
  ) {}
}

/** Runs the call. Returns or resolves with JSON or a {@link ToolResult}. An error becomes TOOL_FAILED with its message. */
export type ToolHandler<P extends TSchema = TSchema> = (parameters: Static<P>, context: ToolCallContext) => unknown;

/** The description of a tool (the chapter's ToolDefinition). */
export interface ToolDescription<P extends TSchema = TSchema> {
  /** Unique and case-sensitive; letters, digits, `_`, `-` and `.`. */
  readonly name: string;
  /** For the model and for people. */
  readonly description: string;
  readonly parameters: P;
  /** Permissions that the session must hold, all of them. */
  readonly permissions: readonly string[];
  /** Returns a narrower permission that suffices for a call with these parameters, besides the one of `permissions`. */
  readonly permissionOf?: (parameters: Static<P>) => string;
  readonly timeoutMs: number;
  /**
   * True if a call may run again after a crash hid its outcome. A tool that is not idempotent is started at most once per
   * call.
   */
  readonly idempotent: boolean;
  /**
   * True if it recognises a repeated call by its ID and answers it without another effect: a call may be taken up again
   * after a crash, although the tool is not idempotent.
   */
  readonly remembersCalls?: boolean;
  /** The tenant whose sessions may use it; undefined for all. */
  readonly tenant?: string;
  /** True if a person must approve each call. */
  readonly requiresApproval: boolean;
  /** True if it runs commands in a sandbox. Without a sandbox engine its calls are refused. */
  readonly sandbox: boolean;
  /** True if its calls wait for other turns: they take no slot, which the tools of those turns may need. */
  readonly isWaiting?: boolean;
}

/** A turn that may call a tool. */
export interface ToolReader extends Pick<ToolCallContext, 'session' | 'caller' | 'agent'> {
  /** See {@link CallingTurn.chain}. */
  readonly chain: readonly string[];
}

/**
 * Returns what the system prompt of a turn says about a tool. The same until the settings change, since providers keep
 * prompts that begin alike.
 * @param name of the tool as the model knows it
 */
export type ToolGuide = (reader: ToolReader, name: string) => string;

export interface ToolDefinition<P extends TSchema = TSchema> extends ToolDescription<P> {
  readonly handler: ToolHandler<P>;
  readonly review?: ToolReview<P>;
  readonly guide?: ToolGuide;
  /** Checks parameters instead of the schema, for foreign schemas, which their source compiles. */
  readonly findFaults?: (parameters: unknown) => readonly PayloadFault[];
}

/** The error codes a tool call can end with. */
export type ToolErrorCode = Extract<ErrorCode, `TOOL_${string}`>;

export const TOOL_ERROR_CODES = (Object.keys(errorTable) as ErrorCode[]).filter((code): code is ToolErrorCode =>
  code.startsWith('TOOL_'),
);

/** The outcome of a call. A failure is a value that the agent gets; the turn continues. */
export type ToolOutcome =
  | { readonly ok: true; readonly content: unknown; readonly images?: readonly ShownImage[] }
  | {
      readonly ok: false;
      readonly code: ToolErrorCode;
      readonly message: string;
      readonly details: ErrorDetails[ToolErrorCode];
      /** True if it may have taken effect: its end was not seen. */
      readonly isUnknown?: boolean;
    };

/** The outcome of a call that failed. */
export type FailedOutcome = Extract<ToolOutcome, { readonly ok: false }>;

/** A handler throws it if the call may have taken effect and its end was not seen. */
export class UnknownOutcomeError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnknownOutcomeError';
  }
}
