import { Injectable } from '@nestjs/common';
import { GatewayError, type NodeEventPayload, type ToolResultPayload } from '../../protocol/domain.js';
import { toOneLine } from '../config/secrets.js';
import type { Connection } from '../connections/connection.js';
import { failpoint } from '../failpoints/failpoint.js';
import type { StopReason } from '../queue/message-claims.service.js';
import { NodeStore, type NodeCall } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import type { Trace } from '../telemetry/traceparent.js';
import { Clock } from '../time/clock.js';
import { UnknownOutcomeError, type ToolCallContext } from '../tools/tool.js';
import { NodeLinksService, type NodeLink } from './node-links.service.js';

/** Time by which the gateway waits longer than the node, which enforces its time limit first, in milliseconds. */
export const CALL_GRACE_MS = 2_000;

/** Minimum interval between progress reports of a call, in milliseconds: each is a durable frame. */
const PROGRESS_INTERVAL_MS = 1_000;

const MAX_REASON_LENGTH = 4_096;

/** The reasons to stop a turn after which another run of it waits for the same call. */
const CONTINUED: readonly unknown[] = ['draining', 'lease_lost'] satisfies StopReason[];

/** The command that a call is for. */
export interface CalledCommand {
  readonly nodeId: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly isIdempotent: boolean;
}

/** A call that a turn waits for. */
interface Waiter {
  readonly call: NodeCall;
  readonly command: CalledCommand;
  readonly parameters: unknown;
  readonly ended: PromiseWithResolvers<unknown>;
  readonly reportProgress: (detail: string) => void;
  readonly trace: Trace | undefined;
  /** True once the node may have got it. */
  mayHaveRun: boolean;
  reportedAt: number;
}

/**
 * Calls the commands of nodes. A call is a row: wanted, sent, then its result. It is sent again, under the same ID, when its
 * node comes back; the node starts it once and answers from its own store. What a node never answers in time is unknown.
 */
@Injectable()
export class NodeCallsService {
  private readonly waiters = new Map<string, Waiter>();
  private readonly log: Log;

  constructor(
    private readonly store: NodeStore,
    private readonly links: NodeLinksService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
    links.onChange((nodeId, link) => {
      if (link) void this.follow(nodeId, link);
    });
  }

  /**
   * Runs a call, or takes one up again that an earlier run of its turn has made. Resolves with its content.
   * @throws Error with the reason of a failure; UnknownOutcomeError; GatewayError STORE_UNAVAILABLE
   */
  async run(command: CalledCommand, parameters: unknown, context: ToolCallContext): Promise<unknown> {
    const { callId, session, signal } = context;
    const { nodeId, timeoutMs } = command;
    const known = await this.store.findNodeCall(callId);
    if (!known) await this.checkReachable(nodeId, signal);
    const deadline = this.clock.now() + timeoutMs + CALL_GRACE_MS;
    const call = known ?? (await this.store.openNodeCall({ callId, nodeId, sessionId: session.id, deadline }));
    if (call.state === 'ended') return readEnd(call);
    signal.throwIfAborted();
    return this.wait(
      {
        ...{ call, command, parameters, ended: Promise.withResolvers<unknown>() },
        reportProgress: context.reportProgress,
        trace: context.trace,
        mayHaveRun: call.state === 'sent',
        reportedAt: Number.NEGATIVE_INFINITY,
      },
      signal,
    );
  }

  /** Stores the result of a call and acknowledges it. One that no turn waits for is acknowledged and dropped. */
  async takeResult(connection: Connection, requestId: string, payload: ToolResultPayload): Promise<void> {
    const { nodeId } = this.links.get(connection);
    const { call_id: callId } = payload;
    const isWanted = await this.store.endNodeCall(nodeId, callId, JSON.stringify(payload));
    failpoint('node.before_ack');
    connection.send({ kind: 'node', what: 'resultTaken', requestId, callId });
    if (isWanted) await this.settle(callId);
    else this.log.debug({ node: nodeId, call_id: callId }, 'a result came late, twice, or for no call; it was dropped');
  }

  /** Shows the progress of a call, at most once a second. */
  takeProgress(connection: Connection, callId: string, { event, data }: NodeEventPayload): void {
    const { nodeId } = this.links.get(connection);
    const waiter = this.waiters.get(callId);
    const now = this.clock.elapsed();
    if (waiter?.call.nodeId !== nodeId || now - waiter.reportedAt < PROGRESS_INTERVAL_MS) return;
    waiter.reportedAt = now;
    const { detail } = (typeof data === 'object' && data !== null ? data : { detail: data }) as { detail?: unknown };
    waiter.reportProgress(typeof detail === 'string' ? detail : event);
  }

  /**
   * Returns the session of a call that a node works on.
   * @throws GatewayError FORBIDDEN if it is none of its calls, or has ended
   */
  async getSessionOf(nodeId: string, callId: string): Promise<string> {
    const call = await this.store.findNodeCall(callId);
    if (call?.nodeId === nodeId && call.state === 'sent' && this.clock.now() < call.deadline) return call.sessionId;
    throw new GatewayError('FORBIDDEN', { reason: 'call_id names no call of this node that is under way' });
  }

  private async checkReachable(nodeId: string, signal: AbortSignal): Promise<void> {
    await this.links.awaitStart(nodeId, signal);
    const link = this.links.find(nodeId);
    if (link && !link.isHidden) return;
    const node = await this.store.findNode(nodeId);
    if (link) throw new Error(`the page is not in front on ${node?.name ?? nodeId}`);
    const seen = node?.seenAt === undefined ? 'never' : `last at ${new Date(node.seenAt).toISOString()}`;
    throw new Error(`the device ${nodeId} is not connected (${seen})`);
  }

  private async wait(waiter: Waiter, signal: AbortSignal): Promise<unknown> {
    const { call, ended } = waiter;
    this.waiters.set(call.callId, waiter);
    const onAbort = () => void this.abandon(waiter, signal.reason);
    const cancelTimer = this.clock.setTimer(Math.max(0, call.deadline - this.clock.now()), () => {
      void this.giveUp(waiter, 'did not answer in time');
    });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      void this.send(waiter);
      return await ended.promise;
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      if (this.waiters.get(call.callId) === waiter) this.waiters.delete(call.callId);
    }
  }

  /** Sends the open calls of a node that has come back, and ends those that its hidden page cannot do. */
  private async follow(nodeId: string, link: NodeLink): Promise<void> {
    for (const waiter of [...this.waiters.values()].filter(({ call }) => call.nodeId === nodeId)) {
      if (!link.isHidden) await this.send(waiter);
      else if (!waiter.command.isIdempotent) await this.giveUp(waiter, 'has no page in front');
    }
  }

  /** Sends a call if its node is there. Otherwise it is sent when the node comes. Never rejects. */
  private async send(waiter: Waiter): Promise<void> {
    const { call, command, parameters, ended, trace } = waiter;
    const { callId, sessionId, nodeId } = call;
    if (!this.isReachable(nodeId)) return;
    try {
      const state = await this.store.markNodeCallSent(callId);
      if (state === 'ended') return await this.settle(callId);
      const timeoutMs = call.deadline - CALL_GRACE_MS - this.clock.now();
      const link = this.links.find(nodeId);
      if (!link || this.waiters.get(callId) !== waiter || timeoutMs <= 0) return;
      waiter.mayHaveRun = true;
      const { name, isIdempotent } = command;
      const what = { kind: 'node', what: 'call', sessionId, callId, command: name } as const;
      link.connection.send({ ...what, parameters, timeoutMs, isIdempotent, trace });
    } catch (error) {
      // The store cannot commit: nothing was sent.
      ended.reject(error);
    }
  }

  private isReachable(nodeId: string): boolean {
    return this.links.find(nodeId)?.isHidden === false;
  }

  /** Ends the wait for a call whose row has ended. */
  private async settle(callId: string): Promise<void> {
    const waiter = this.waiters.get(callId);
    const call = waiter && (await this.store.findNodeCall(callId));
    if (!call) return;
    try {
      waiter.ended.resolve(readEnd(call));
    } catch (error) {
      waiter.ended.reject(error);
    }
  }

  /** Ends a call that its node does not answer. */
  private async giveUp(waiter: Waiter, reason: string): Promise<void> {
    const { call, command, ended } = waiter;
    try {
      if (!(await this.store.endNodeCall(call.nodeId, call.callId))) return await this.settle(call.callId);
    } catch (error) {
      return ended.reject(error);
    }
    this.sendCancel(call);
    const what = `the device ${call.nodeId} ${reason}`;
    if (!waiter.mayHaveRun) ended.reject(new Error(`${what}; the call was not started`));
    else if (command.isIdempotent) ended.reject(new Error(what));
    else ended.reject(new UnknownOutcomeError(`${what}; the call may have taken effect and is not repeated`));
  }

  /** Ends a call whose turn was stopped. The registry has ended the wait. */
  private async abandon(waiter: Waiter, reason: unknown): Promise<void> {
    const { call, ended } = waiter;
    if (!CONTINUED.includes(reason)) {
      await this.store.endNodeCall(call.nodeId, call.callId).catch((error: unknown) => {
        this.log.debug({ error, call_id: call.callId }, 'the end of a cancelled call could not be stored');
      });
      this.sendCancel(call);
    }
    ended.reject(new Error('the turn was stopped'));
  }

  private sendCancel({ nodeId, callId }: NodeCall): void {
    this.links.find(nodeId)?.connection.send({ kind: 'node', what: 'cancel', callId });
  }
}

/** Returns the content of a call that has ended. @throws Error, UnknownOutcomeError */
function readEnd({ result }: NodeCall): unknown {
  if (result === undefined) throw new UnknownOutcomeError('the call was given up; it may have taken effect');
  const { ok, content = null, error } = JSON.parse(result) as ToolResultPayload;
  if (ok) return content;
  const message = toOneLine(error?.message ?? 'the device gives no reason', MAX_REASON_LENGTH);
  if (error?.code === 'UNKNOWN') throw new UnknownOutcomeError(`the device does not know the outcome: ${message}`);
  throw new Error(`${error?.code ?? 'FAILED'}: ${message}`);
}
