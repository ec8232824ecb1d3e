import { expect } from 'vitest';
import {
  endOf,
  type AcceptOutcome,
  type CancelOutcome,
  type ClaimResult,
  type ClientKey,
  type DurableFrame,
  type Lease,
  type NewFrame,
  type NewMessage,
  type Priority,
  type QueueLimits,
  type WriteOutcome,
} from '../../core/store/index.js';
import type { MessageStatus } from '../../protocol/index.js';

export interface ModelMessage {
  readonly ref: string;
  readonly message: NewMessage;
  readonly session: string;
  status: MessageStatus;
  /** Runs before all others of its session, because its run was interrupted. */
  first: boolean;
  notBefore: number;
  attempt: number;
  interruptions: number;
  cancelRequested: boolean;
  epoch: number | undefined;
  /** Its process died while it ran, and it was not claimed since. */
  interrupted: boolean;
  frames: number;
  supersededBy: string | undefined;
  readonly steps: { readonly step: number; readonly headSeq: number }[];
}

/**
 * A reference model of a store: plain lists, without regard to speed. Each method takes the result of the store, checks
 * it, and applies the same change to the lists. Sessions may be claimed in any order that keeps each session's own.
 */
export class StoreModel {
  readonly messages: ModelMessage[] = [];
  readonly logs = new Map<string, DurableFrame[]>();
  /** By client and session. */
  readonly cursors = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  /** The starts of this log, oldest first, each with the heads of the sessions at its end; none while it runs. */
  private readonly starts: { readonly name: string; heads?: ReadonlyMap<string, number> }[] = [];

  constructor(
    private readonly limits: QueueLimits,
    private readonly now: () => number,
  ) {}

  log(session: string): DurableFrame[] {
    let log = this.logs.get(session);
    if (!log) this.logs.set(session, (log = []));
    return log;
  }

  /** Waiting and running messages. */
  unfinished(): ModelMessage[] {
    return this.messages.filter(({ status }) => status === 'queued' || status === 'running');
  }

  byRef(ref: string | undefined): ModelMessage | undefined {
    return this.messages.find((each) => each.ref === ref);
  }

  holds(lease: Lease): ModelMessage | undefined {
    const message = this.byRef(lease.messageRef);
    return message?.status === 'running' && message.epoch === lease.epoch ? message : undefined;
  }

  /** The waiting messages of a session, in the order in which they will run. */
  waiting(session: string): ModelMessage[] {
    return this.messages
      .filter((each) => each.session === session && each.status === 'queued')
      .sort((one, other) => Number(other.first) - Number(one.first) || other.message.priority - one.message.priority);
  }

  accept(message: NewMessage, outcome: AcceptOutcome): void {
    const { client, messageId, session, isAddressed, priority } = message;
    const earlier = this.messages.find(
      (each) => each.message.client.clientId === client.clientId && each.message.messageId === messageId,
    );
    if (earlier) return this.repeat(earlier, message, outcome);
    const superseded = this.findSuperseded(message);
    if (superseded === 'none') return expect(outcome).toEqual({ kind: 'nothing_to_supersede' });
    const takesPlace = superseded?.status === 'queued';
    const limit = isAddressed && !takesPlace ? this.exceeded(message) : undefined;
    if (limit) return expect(outcome).toEqual({ kind: 'full', limit });
    if (outcome.kind !== 'accepted') throw new Error(`a new message was answered with ${outcome.kind}`);

    const ended = superseded && this.supersede(superseded, outcome.messageRef, message.receivedAt);
    const cursor = `${client.clientId} ${session.id}`;
    if (!this.cursors.has(cursor)) this.cursors.set(cursor, this.log(session.id).length);
    const added = this.add(outcome.messageRef, message);
    const running = this.messages.find((each) => each.session === session.id && each.status === 'running');
    expect(outcome).toEqual({
      kind: 'accepted',
      messageRef: added.ref,
      sessionId: session.id,
      mode: 'main',
      agent: 'main',
      status: added.status,
      priority,
      position: isAddressed ? this.waiting(session.id).indexOf(added) : 0,
      headSeq: this.log(session.id).length,
      ...(running && { runningRef: running.ref }),
      ...(ended && { ended }),
    });
  }

  /** The message that another one supersedes; `none` if it may not. */
  private findSuperseded({ payload, session }: NewMessage): ModelMessage | 'none' | undefined {
    if (payload.supersedes === undefined) return undefined;
    const found = this.byRef(payload.supersedes);
    if (!found || found.session !== session.id || found.status === 'observed') return 'none';
    const hasRun = found.status === 'running' || (found.status === 'queued' && found.frames > 0);
    return hasRun ? 'none' : found;
  }

  /** Marks a message and all after it, and ends it if it waits. */
  private supersede(superseded: ModelMessage, by: string, timestamp: number): DurableFrame | undefined {
    const later = this.messages.slice(this.messages.indexOf(superseded));
    for (const each of later) if (each.session === superseded.session) each.supersededBy ??= by;
    return superseded.status === 'queued' ? this.endUnrun(superseded, timestamp) : undefined;
  }

  private endUnrun(message: ModelMessage, timestamp: number): DurableFrame {
    const named = { messageRef: message.ref, messageId: message.message.messageId };
    message.status = 'cancelled';
    return this.append(message, endOf(named, { reason: 'cancelled' }, timestamp).frame);
  }

  private add(ref: string, message: NewMessage): ModelMessage {
    expect(this.byRef(ref)).toBeUndefined();
    const added: ModelMessage = {
      ref,
      message,
      session: message.session.id,
      status: message.isAddressed ? 'queued' : 'observed',
      first: false,
      notBefore: 0,
      attempt: 0,
      interruptions: 0,
      cancelRequested: false,
      epoch: undefined,
      interrupted: false,
      frames: 0,
      supersededBy: undefined,
      steps: [],
    };
    this.messages.push(added);
    return added;
  }

  private repeat(earlier: ModelMessage, message: NewMessage, outcome: AcceptOutcome): void {
    if (JSON.stringify(earlier.message.payload) !== JSON.stringify(message.payload))
      return expect(outcome).toEqual({ kind: 'conflict' });
    expect(outcome).toMatchObject({
      kind: 'duplicate',
      messageRef: earlier.ref,
      sessionId: earlier.session,
      status: earlier.status,
      position: Math.max(0, this.waiting(earlier.session).indexOf(earlier)),
      headSeq: this.log(earlier.session).length,
    });
  }

  private exceeded({ session, client }: NewMessage): keyof QueueLimits | undefined {
    const unfinished = this.unfinished();
    const ofSession = unfinished.filter((each) => each.session === session.id).length;
    const ofClient = unfinished.filter((each) => isSameOwner(each.message.client, client)).length;
    if (ofSession >= this.limits.perSession) return 'perSession';
    if (ofClient >= this.limits.perClient) return 'perClient';
    return unfinished.length >= this.limits.total ? 'total' : undefined;
  }

  claim(limit: number, { claims, nextDueAt }: ClaimResult): void {
    for (const claim of claims) {
      const { sessionId, epoch, messageRef } = claim.lease;
      const message = this.ready(sessionId);
      expect(messageRef).toBe(message?.ref);
      if (!message) continue;
      expect(epoch).toBeGreaterThan(this.epochs.get(sessionId) ?? 0);
      this.epochs.set(sessionId, epoch);
      message.attempt++;
      if (message.interrupted) message.interruptions++;
      Object.assign(message, { status: 'running', epoch, interrupted: false, first: false, notBefore: 0 });
      const { attempt, interruptions, cancelRequested } = message;
      expect(claim).toMatchObject({ attempt, interruptions, cancelRequested });
      expect(claim.message).toMatchObject({ messageId: message.message.messageId, payload: message.message.payload });
    }
    expect(claims.length).toBeLessThanOrEqual(limit);
    const sessions = new Set(this.messages.map(({ session }) => session));
    const left = [...sessions].filter((session) => this.ready(session));
    expect(claims.length === limit || left.length === 0).toBe(true);
    const later = this.unfinished().filter(({ notBefore }) => notBefore > this.now());
    expect(nextDueAt).toBe(later.length > 0 ? Math.min(...later.map(({ notBefore }) => notBefore)) : undefined);
  }

  /** The message that a session would run now. */
  private ready(session: string): ModelMessage | undefined {
    const runs = this.messages.some((each) => each.session === session && each.status === 'running');
    const [next] = runs ? [] : this.waiting(session);
    return next && next.notBefore <= this.now() ? next : undefined;
  }

  write(
    lease: Lease,
    frames: readonly NewFrame[],
    steps: readonly number[],
    outcome: WriteOutcome,
  ): ModelMessage | undefined {
    const message = this.holds(lease);
    if (!message) {
      expect(outcome).toEqual({ kind: 'fenced' });
      return undefined;
    }
    const written = frames.map((frame) => this.append(message, frame));
    expect(outcome).toEqual({ kind: 'written', frames: written });
    message.steps.push(...steps.map((step) => ({ step, headSeq: this.log(message.session).length })));
    return message;
  }

  private append(message: ModelMessage, frame: NewFrame): DurableFrame {
    const log = this.log(message.session);
    const durable = { ...frame, sessionId: message.session, seq: log.length + 1 };
    log.push(durable);
    message.frames++;
    return durable;
  }

  release(lease: Lease, notBefore: number): void {
    const message = this.holds(lease);
    if (!message) return;
    const earliest = message.cancelRequested ? 0 : notBefore;
    Object.assign(message, { status: 'queued', epoch: undefined, first: true, notBefore: earliest });
  }

  cancel(targets: readonly ModelMessage[] | undefined, timestamp: number, outcome: CancelOutcome | undefined): void {
    if (!targets) return expect(outcome).toBeUndefined();
    const open = targets.filter(({ status }) => status === 'queued' || status === 'running');
    const toRun = open.filter(({ status, frames }) => status === 'running' || frames > 0);
    expect(outcome?.running.map(({ messageRef }) => messageRef).sort()).toEqual(toRun.map(({ ref }) => ref).sort());
    for (const message of toRun) Object.assign(message, { cancelRequested: true, notBefore: 0 });
    const toEnd = open.filter((message) => !toRun.includes(message));
    expect(outcome?.ended.map(({ messageRef }) => messageRef).sort()).toEqual(toEnd.map(({ ref }) => ref).sort());
    for (const ended of outcome?.ended ?? []) {
      const message = this.byRef(ended.messageRef);
      if (message) expect(ended).toEqual(this.endUnrun(message, timestamp));
    }
  }

  moveCursor(clientId: string, session: string, seq: number): void {
    if (!this.messages.some((each) => each.session === session)) return;
    const key = `${clientId} ${session}`;
    this.cursors.set(key, Math.max(this.cursors.get(key) ?? 0, Math.min(seq, this.log(session).length)));
  }

  /** The store was opened under this name. */
  begin(name: string): void {
    expect(this.starts.map((start) => start.name)).not.toContain(name);
    this.starts.push({ name });
  }

  /** Returns whether a client that got frame `seq` under the epoch `name` got it from this log. */
  hasFrame(session: string, seq: number, name: string): boolean {
    const start = this.starts.find((each) => each.name === name);
    const head = start?.heads ? (start.heads.get(session) ?? 0) : this.log(session).length;
    return seq === 0 || (start !== undefined && seq <= head);
  }

  /** Returns a copy of the stored state, on which {@link begin} continues. */
  copy(): StoreModel {
    const copy = new StoreModel(this.limits, this.now);
    copy.messages.push(...structuredClone(this.messages));
    for (const [session, log] of this.logs) copy.logs.set(session, [...log]);
    for (const [key, seq] of this.cursors) copy.cursors.set(key, seq);
    for (const [session, epoch] of this.epochs) copy.epochs.set(session, epoch);
    copy.starts.push(...structuredClone(this.starts));
    return copy;
  }

  /** Ends the process: running messages are interrupted. */
  crash(): void {
    const last = this.starts.at(-1);
    if (last) last.heads = new Map([...this.logs].map(([session, log]) => [session, log.length]));
    for (const message of this.unfinished()) {
      if (message.status !== 'running') continue;
      Object.assign(message, { status: 'queued', epoch: undefined, first: true, interrupted: true });
    }
  }
}

function isSameOwner(one: ClientKey, other: ClientKey): boolean {
  return one.tenant === other.tenant && one.principal === other.principal;
}

/** The priorities that generators choose from. */
export const MODEL_PRIORITIES: readonly Priority[] = [1, 5, 10];
