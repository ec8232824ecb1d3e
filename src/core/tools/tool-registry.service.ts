import { Injectable } from '@nestjs/common';
import { GatewayError, type ErrorDetails } from '../../protocol/index.js';
import { findFaults } from '../../protocol/codec.js';
import type { Session } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import type { ToolCallContext, ToolDefinition, ToolErrorCode, ToolOutcome } from './tool.js';

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/;
/** The largest result that is kept and shown, as JSON text in UTF-16 units. */
const MAX_RESULT_LENGTH = 262_144;

/** Knows all tools and runs their calls under permissions and time limits (the chapter's Tool Registry). */
@Injectable()
export class ToolRegistryService {
  private readonly tools = new Map<string, ToolDefinition>();
  private readonly log: Log;

  constructor(
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** @throws Error when the name is malformed or taken: both are mistakes of a programmer, found at start */
  register(tool: ToolDefinition): void {
    if (!TOOL_NAME.test(tool.name)) throw new Error(`The tool name "${tool.name}" must match ${TOOL_NAME.source}`);
    if (this.tools.has(tool.name)) throw new Error(`There are two tools named "${tool.name}"`);
    this.tools.set(tool.name, tool);
  }

  list(): readonly ToolDefinition[] {
    return [...this.tools.values()];
  }

  find(name: string): ToolDefinition | undefined {
    return this.tools.get(name);
  }

  /** The tools that this session may use. */
  getAvailableTools(session: Session): readonly ToolDefinition[] {
    return this.list().filter((tool) => findMissingPermissions(tool, session).length === 0);
  }

  /**
   * Says why a call may not start, or undefined when it may: the tool exists, the session has its permissions, the
   * parameters fit its schema.
   */
  refuse(name: string, parameters: unknown, session: Session): ToolOutcome | undefined {
    const tool = this.tools.get(name);
    if (!tool) return failure('TOOL_NOT_FOUND', { tool: name });
    const missing = findMissingPermissions(tool, session);
    if (missing.length > 0) return failure('TOOL_DENIED', { tool: name, missing_permissions: missing });
    const faults = findFaults(`tool:${name}`, tool.parameters, parameters);
    return faults.length === 0 ? undefined : failure('TOOL_INVALID_PARAMETERS', { tool: name, faults });
  }

  /** Runs a call within its time. Never rejects; `context.signal` cancels it. */
  async execute(name: string, parameters: unknown, context: ToolCallContext): Promise<ToolOutcome> {
    const refusal = this.refuse(name, parameters, context.session);
    const tool = this.tools.get(name);
    if (refusal || !tool) return refusal ?? failure('TOOL_NOT_FOUND', { tool: name });
    const timeout = new AbortController();
    const cancelTimer = this.clock.setTimer(tool.timeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, context.signal]);
    try {
      // The call is raced, not trusted: a tool that ignores its signal must not hold the turn.
      const result = await raceAbort(signal, async () => tool.handler(parameters, { ...context, signal }));
      return checkResult(name, result);
    } catch (error) {
      if (timeout.signal.aborted) return failure('TOOL_TIMEOUT', { tool: name, timeout_ms: tool.timeoutMs });
      if (context.signal.aborted) return failure('TOOL_FAILED', { tool: name, reason: 'the turn was stopped' });
      this.log.warn({ error, tool: name, call_id: context.callId, session_id: context.session.id }, 'a tool failed');
      return failure('TOOL_FAILED', { tool: name, reason: error instanceof Error ? error.message : String(error) });
    } finally {
      cancelTimer();
    }
  }
}

function findMissingPermissions(tool: ToolDefinition, session: Session): string[] {
  return tool.permissions.filter((permission) => !session.toolPermissions.includes(permission));
}

function checkResult(tool: string, result: unknown): ToolOutcome {
  const text = JSON.stringify(result ?? null) as string | undefined;
  if (text === undefined) return failure('TOOL_FAILED', { tool, reason: 'its result is not JSON' });
  if (text.length > MAX_RESULT_LENGTH) {
    return failure('TOOL_FAILED', { tool, reason: `its result has more than ${MAX_RESULT_LENGTH} characters` });
  }
  return { ok: true, content: result ?? null };
}

/** A failed outcome with the message of the error table. */
export function failure<C extends ToolErrorCode>(code: C, details: ErrorDetails[C]): ToolOutcome {
  return { ok: false, code, message: new GatewayError(code, details).message, details };
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
