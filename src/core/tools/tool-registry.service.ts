import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ErrorDetails } from '../../protocol/domain.js';
import { findFaults } from '../../protocol/faults.js';
import { noteOfCall } from '../audit/audit-notes.js';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { matchesPattern } from '../agents/name-pattern.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { createSecretHider, toOneLine } from '../config/secrets.js';
import { callExtension } from '../lifecycle/extension-guard.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { AuditStore } from '../store/index.js';
import { canonicalise } from '../store/canonical-json.js';
import { PrincipalDirectory } from '../identity/principal-directory.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Metrics } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import { CallSlots } from './call-slots.js';
import { LateErrors } from './late-errors.js';
import { ToolMetrics } from './tool-metrics.js';
import { checkResult, failure, toReadableError } from './tool-outcomes.js';
import { ToolSources } from './tool-sources.js';
import {
  UnknownOutcomeError,
  type CallReview,
  type FailedOutcome,
  type ReviewContext,
  type ToolCallContext,
  type ToolDefinition,
  type ToolOutcome,
} from './tool.js';

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
/** Maximum length of the reason of a failure in the log, in UTF-16 units. */
const MAX_LOGGED_LENGTH = 500;

/** The session, the caller on whose behalf a tool is called, and the agent that calls it. */
export type ToolUser = Pick<ToolCallContext, 'session' | 'caller' | 'agent'>;

/**
 * Keeps the tools and runs their calls (the chapter's Tool Registry): look-up, permission, validation, a free slot, a time
 * limit, and a limit on the result.
 */
@Injectable()
export class ToolRegistryService {
  /** Sources of tools that connect and disconnect. */
  readonly sources: ToolSources;
  private readonly tools = new Map<string, ToolDefinition>();
  private readonly slots: CallSlots;
  private readonly log: Log;
  private readonly lateErrors: LateErrors;
  private readonly metrics: ToolMetrics;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly principals: PrincipalDirectory,
    private readonly clock: Clock,
    private readonly audit: AuditStore,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
    this.lateErrors = new LateErrors(this.log);
    this.metrics = new ToolMetrics(metrics);
    this.sources = new ToolSources(clock);
    this.slots = new CallSlots(() => config.get('tools.concurrency'));
  }

  @StartStep({ name: 'count late errors of tools', phase: 'register', undoneIn: 'release' })
  start(): Undo {
    return this.lateErrors.start(this.clock);
  }

  /** Adds a tool. @throws Error when the name is malformed or already registered */
  register(tool: ToolDefinition): void {
    if (!TOOL_NAME.test(tool.name)) throw new Error(`The tool name "${tool.name}" must match ${TOOL_NAME.source}`);
    if (this.tools.has(tool.name)) throw new Error(`There are two tools named "${tool.name}"`);
    this.tools.set(tool.name, tool);
    this.metrics.prepare(tool.name);
  }

  /** Removes a tool of a source that has disconnected. */
  unregister(name: string): void {
    this.tools.delete(name);
    this.metrics.forget(name);
  }

  list(): readonly ToolDefinition[] {
    return [...this.tools.values()];
  }

  find(name: string): ToolDefinition | undefined {
    return this.tools.get(name);
  }

  /** Returns the tools that this caller may use in this session. */
  getAvailableTools(user: ToolUser): readonly ToolDefinition[] {
    return this.list().filter((tool) => isOf(tool, user) && this.checkPermission(tool, user) === undefined);
  }

  /** Returns the tools that an agent may use in every session. */
  listToolsOf(agent: AgentDefinition): readonly ToolDefinition[] {
    const disabled = this.config.get('tools.disabled');
    return this.list().filter(
      ({ name, permissions }) =>
        !disabled.includes(name) && mayUse(agent, name) && permissions.every((one) => agent.permissions.includes(one)),
    );
  }

  /** Returns true if a person must approve each call of this tool, whatever its parameters are. */
  needsApproval(name: string): boolean {
    return this.tools.get(name)?.requiresApproval === true || this.config.get('tools.approvals').includes(name);
  }

  /**
   * Waits for a tool whose source is still connecting. Resolves with the failure of a call when the source is unavailable,
   * and with undefined when the tool is registered or no source has it.
   */
  async awaitTool(name: string, signal: AbortSignal): Promise<FailedOutcome | undefined> {
    if (this.tools.has(name)) return undefined;
    const reason = await this.sources.waitFor(name, signal);
    return reason === undefined || this.tools.has(name) ? undefined : failure('TOOL_FAILED', { tool: name, reason });
  }

  /**
   * Checks a call: the tool exists and is enabled, session and caller have its permissions, the parameters match its
   * schema. Returns the failure, or undefined when the call may start.
   */
  refuse(name: string, parameters: unknown, user: ToolUser): FailedOutcome | undefined {
    const tool = this.tools.get(name);
    if (!tool || !isOf(tool, user)) return failure('TOOL_NOT_FOUND', { tool: name });
    const denied = this.checkPermission(tool, user, parameters);
    if (denied) return failure('TOOL_DENIED', { tool: name, ...denied });
    const faults = tool.findFaults?.(parameters) ?? findFaults(tool.parameters, parameters);
    return faults.length === 0 ? undefined : failure('TOOL_INVALID_PARAMETERS', { tool: name, faults });
  }

  /**
   * Returns what is to be known of a call that {@link refuse} does not refuse before it starts: whether a person must
   * approve it, and what is shown of it. Resolves with the failure of the call if the tool cannot say. Never rejects.
   */
  async review(name: string, parameters: unknown, context: ReviewContext): Promise<CallReview | FailedOutcome> {
    const tool = this.tools.get(name);
    const isRequired = this.needsApproval(name);
    if (!tool?.review) return { needsApproval: isRequired };
    const { review } = tool;
    const outcome = await this.inSlot(tool, context, () =>
      this.runWithin(tool, context, async (signal) => {
        const said = await review(structuredClone(parameters), { ...context, signal });
        return { ...said, needsApproval: isRequired || said.needsApproval };
      }),
    );
    return 'code' in outcome ? outcome : outcome.value;
  }

  /** Runs a call within the tool's time limit. `context.signal` cancels it. Never rejects. */
  async execute(name: string, parameters: unknown, context: ToolCallContext): Promise<ToolOutcome> {
    const startedAt = this.clock.elapsed();
    const outcome = await this.call(name, parameters, context);
    const seconds = (this.clock.elapsed() - startedAt) / 1_000;
    this.metrics.note(name, outcome.ok ? 'ok' : outcome.code, seconds);
    return outcome;
  }

  private async call(name: string, parameters: unknown, context: ToolCallContext): Promise<ToolOutcome> {
    const refusal = (await this.awaitTool(name, context.signal)) ?? this.refuse(name, parameters, context);
    const tool = this.tools.get(name);
    if (refusal || !tool) return refusal ?? failure('TOOL_NOT_FOUND', { tool: name });
    const ended = await this.inSlot(tool, context, async () => {
      if (!tool.idempotent) await this.record(tool, parameters, context);
      // It gets a copy of the parameters, so that it cannot change those of the journal.
      return this.runWithin(tool, context, async (signal) =>
        tool.handler(structuredClone(parameters), { ...context, signal }),
      );
    });
    if ('code' in ended) return ended;
    const outcome = checkResult(name, ended.value);
    if (!outcome.ok) this.logFailure(fieldsOf(name, context), outcome.message);
    return outcome;
  }

  /** Runs `work` when a slot is free. Never rejects. */
  private async inSlot<T>(
    { name, isWaiting }: ToolDefinition,
    { session, signal }: ReviewContext,
    work: () => Promise<T | FailedOutcome>,
  ): Promise<T | FailedOutcome> {
    const leave = isWaiting
      ? () => {}
      : await this.slots.enter({ tenant: session.tenant, session: session.id }, signal);
    if (leave === 'aborted') return stopped(name);
    if (leave === 'full') return failure('TOOL_FAILED', { tool: name, reason: 'too many tool calls wait' });
    try {
      return await work();
    } catch (error) {
      return failure('TOOL_FAILED', { tool: name, reason: this.describe(error) });
    } finally {
      leave();
    }
  }

  /** Adds a call with side effects to the audit trail, before the call starts. @throws GatewayError STORE_UNAVAILABLE */
  private async record(tool: ToolDefinition, parameters: unknown, context: ToolCallContext): Promise<void> {
    const { session, caller, callId } = context;
    const argumentsSha256 = hash('sha256', canonicalise(parameters), 'hex');
    await this.audit.recordAudit(
      noteOfCall({ session, actor: caller.principal, tool: tool.name, callId, argumentsSha256 }),
    );
  }

  /** Runs a part of a tool within its time limit. */
  private async runWithin<T>(
    { name, timeoutMs }: ToolDefinition,
    context: ReviewContext,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly value: T } | FailedOutcome> {
    const fields = fieldsOf(name, context);
    const owner = this.lateErrors.ownerOf(fields);
    const timeout = new AbortController();
    const cancelTimer = this.clock.setTimer(timeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, context.signal]);
    try {
      // Raced, because a tool that ignores its signal must not block the turn.
      return { value: await raceAbort(signal, () => callExtension(owner, () => run(signal))) };
    } catch (thrown) {
      if (timeout.signal.aborted) return failure('TOOL_TIMEOUT', { tool: name, timeout_ms: timeoutMs });
      if (context.signal.aborted) return stopped(name);
      const error = toReadableError(thrown);
      const reason = this.describe(error);
      this.logFailure(fields, reason);
      this.log.debug({ ...fields, error }, 'a tool failed');
      const failed = failure('TOOL_FAILED', { tool: name, reason });
      return error instanceof UnknownOutcomeError ? { ...failed, isUnknown: true } : failed;
    } finally {
      cancelTimer();
    }
  }

  /** Most failures are mistakes of the model, such as a file that does not exist. */
  private logFailure(fields: CallFields, reason: string): void {
    this.log.warn({ ...fields, reason: toOneLine(reason, MAX_LOGGED_LENGTH) }, 'a tool failed');
  }

  /** Returns why a tool has failed, for the model and for people, without secrets of the settings. */
  private describe(error: unknown): string {
    // Made for each failure: a secret that was changed a moment ago is hidden too.
    return createSecretHider(this.config.listSecrets(), false)(toReadableError(error).message);
  }

  /** Returns the permissions that a call of this user holds, of its session, its agent and its credential together. */
  listHeld({ session, caller, agent }: ToolUser): readonly string[] {
    const granted = grantedTo(session, agent);
    const limit = this.principals.findToolPermissions(caller.tenant, caller.principal);
    return limit ? granted.filter((permission) => limit.includes(permission)) : granted;
  }

  /** @param parameters of the call; without them a tool that some call may use is permitted */
  private checkPermission(
    tool: ToolDefinition,
    { session, caller, agent }: ToolUser,
    parameters?: unknown,
  ): Omit<ErrorDetails['TOOL_DENIED'], 'tool'> | undefined {
    if (this.config.get('tools.disabled').includes(tool.name)) return { reason: 'it is disabled' };
    if (!mayUse(agent, tool.name)) return { reason: `the agent ${agent.id} may not use it` };
    const missing = listMissing(tool, grantedTo(session, agent), parameters);
    if (missing.length > 0) return { reason: `the session lacks ${missing.join(', ')}`, missing_permissions: missing };
    const limit = this.principals.findToolPermissions(caller.tenant, caller.principal);
    const beyond = limit ? listMissing(tool, limit, parameters) : [];
    return beyond.length > 0
      ? { reason: `the sender's credential lacks ${beyond.join(', ')}`, missing_permissions: beyond }
      : undefined;
  }
}

/** Returns whether a tool exists for the tenant of a caller. */
function isOf({ tenant }: ToolDefinition, { session }: ToolUser): boolean {
  return tenant === undefined || tenant === session.tenant;
}

/** Returns the permissions of a session with those of its agent. */
function grantedTo({ toolPermissions }: ToolUser['session'], { permissions }: ToolUser['agent']): readonly string[] {
  return [...toolPermissions, ...permissions];
}

/** Returns the permissions of a tool that are not `held`, nor narrower ones that suffice. */
function listMissing(
  { permissions, permissionOf }: ToolDefinition,
  held: readonly string[],
  parameters: unknown,
): readonly string[] {
  return permissions.filter((permission) => {
    if (held.includes(permission)) return false;
    if (!permissionOf) return true;
    if (parameters === undefined) return !held.some((other) => other.startsWith(`${permission}:`));
    return !held.includes(permissionOf(parameters));
  });
}

/** Returns whether the settings of an agent allow it a tool. `deny` takes precedence. */
function mayUse({ tools }: AgentDefinition, name: string): boolean {
  const isNamed = (patterns: readonly string[]) => patterns.some((pattern) => matchesPattern(name, pattern));
  return (tools.allow === undefined || isNamed(tools.allow)) && !isNamed(tools.deny);
}

interface CallFields {
  readonly tool: string;
  readonly call_id: string;
  readonly session_id: string;
}

/** Returns the fields of log lines about a call. */
function fieldsOf(tool: string, { callId, session }: ReviewContext): CallFields {
  return { tool, call_id: callId, session_id: session.id };
}

function stopped(tool: string): FailedOutcome {
  return failure('TOOL_FAILED', { tool, reason: 'the turn was stopped' });
}

function raceAbort<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    run()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
