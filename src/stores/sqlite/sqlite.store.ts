import { GatewayError } from '../../protocol/index.js';
import {
  Store,
  type AcceptOutcome,
  type Approval,
  type ApprovalDecision,
  type ApprovalStore,
  type CancelOutcome,
  type CancelSelector,
  type ClaimRequest,
  type ClaimResult,
  type ClientKey,
  type FramePage,
  type FrameStore,
  type JoinOutcome,
  type JoinWrite,
  type Lease,
  type MediaRecord,
  type MediaStore,
  type Memory,
  type MemoryQuery,
  type MemoryStore,
  type MessageSelector,
  type MessageWithReply,
  type NewFrame,
  type NewMessage,
  type QueueCounts,
  type QueueLimits,
  type QueueStore,
  type Session,
  type SessionChange,
  type SessionCursor,
  type SessionStore,
  type SettingsChange,
  type SettingsStore,
  type StoredMessage,
  type StoredReaction,
  type StoredSettings,
  type SweepLimits,
  type TurnEnd,
  type TurnRecord,
  type TurnStore,
  type TurnWrite,
  type WriteOutcome,
} from '../../core/store/index.js';
import type { Log, Logs } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { Batcher, type BatcherHost } from './batcher.js';
import { startExecutor, type Executor, type StartExecutor } from './executor.js';
import type {
  Batch,
  BatchReply,
  Call,
  Failure,
  OperationAnswer,
  OperationArguments,
  ReadName,
  WriteName,
  WrittenFrom,
} from './operations.js';
import {
  packEnd,
  packFrame,
  packLease,
  packNewMessage,
  unpackClaim,
  unpackMessage,
  unpackMessageWithReply,
  unpackOutcome,
} from './packing.js';

export interface SqliteStoreOptions {
  /** `sqlite:PATH` or `sqlite::memory:`. */
  readonly url: string;
  readonly replicaId: string;
}

const PREFIX = 'sqlite:';

/**
 * The store on one SQLite file, owned by this process: all nine ports in one object. It is a thin client of the thread
 * that has the file; calls made at the same time share a commit.
 */
export class SqliteStore
  extends Store
  implements QueueStore, TurnStore, SessionStore, FrameStore, SettingsStore, ApprovalStore, MediaStore, MemoryStore
{
  override readonly label: string;
  override readonly isShared = false;
  private readonly path: string | undefined;
  private readonly log: Log;
  private readonly reads: Batcher;
  private readonly writes: Batcher;
  private executor: Executor | undefined;
  private closing: Promise<void> | undefined;
  /** A batch has failed since the last that succeeded. */
  private failing = false;

  constructor(
    options: SqliteStoreOptions,
    private readonly clock: Clock,
    logs: Logs,
    private readonly start: StartExecutor = startExecutor,
  ) {
    super();
    if (!options.url.startsWith(PREFIX) || options.url === PREFIX) {
      throw new Error(`store.url must be sqlite:PATH or sqlite::memory:, not ${options.url}`);
    }
    this.label = options.url;
    const place = options.url.slice(PREFIX.length);
    this.path = place === ':memory:' ? undefined : place;
    this.log = logs.for('store');
    const host: BatcherHost = {
      run: (kind, calls) => this.run(kind, calls),
      explain: (failure) => explain(failure),
    };
    this.reads = new Batcher('read', host);
    this.writes = new Batcher('write', host);
  }

  override async open(): Promise<void> {
    const options = { path: this.path, now: this.clock.now() };
    this.executor = await this.start(options, (error) => {
      this.log.error({ error }, 'the thread of the store has died; nothing can be stored until a restart');
    });
    const { migrated } = this.executor;
    this.log.info({ store: this.label, ...(migrated.length > 0 && { migrated }) }, 'store open');
  }

  override close(): Promise<void> {
    this.closing ??= this.finishAndClose();
    return this.closing;
  }

  private async finishAndClose(): Promise<void> {
    await Promise.all([this.reads.idle(), this.writes.idle()]);
    const executor = this.executor;
    this.executor = undefined;
    await executor?.close();
  }

  override async check(): Promise<void> {
    await this.mutate('check');
  }

  override sweep(limits: SweepLimits): Promise<boolean> {
    return this.mutate('sweep', limits);
  }

  /** Nobody else writes to this file, so there is nothing to tell. */
  override onHint(): () => void {
    return () => {};
  }

  async accept(message: NewMessage, limits: QueueLimits): Promise<AcceptOutcome> {
    return unpackOutcome(await this.mutate('accept', packNewMessage(message, limits)));
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const { claims, ...rest } = await this.mutate('claim', request);
    return { ...rest, claims: claims.map((claim) => unpackClaim(claim, request.replicaId)) };
  }

  renew(leases: readonly Lease[]): Promise<{ lost: readonly Lease[]; cancelRequested: readonly Lease[] }> {
    return this.query('renew', leases);
  }

  release(lease: Lease): Promise<void> {
    return this.mutate('postpone', packLease(lease), 0);
  }

  postpone(lease: Lease, notBefore: number): Promise<void> {
    return this.mutate('postpone', packLease(lease), notBefore);
  }

  cancel(selector: CancelSelector, now: number): Promise<CancelOutcome | undefined> {
    return this.mutate('cancel', selector, now);
  }

  async findMessage(selector: MessageSelector): Promise<StoredMessage | undefined> {
    const message = await this.query('findMessage', selector);
    return message && unpackMessage(message);
  }

  count(activeSince: number): Promise<QueueCounts> {
    return this.query('count', activeSince);
  }

  async append(lease: Lease, { frames, journal }: TurnWrite): Promise<WriteOutcome> {
    const from = await this.mutate('append', packLease(lease), frames.map(packFrame), journal);
    return written(lease, frames, from);
  }

  async finish(lease: Lease, end: TurnEnd): Promise<WriteOutcome> {
    const from = await this.mutate('finish', packLease(lease), end.frames.map(packFrame), end.journal, packEnd(end));
    return written(lease, end.frames, from);
  }

  async listWaiting(sessionId: string): Promise<readonly StoredMessage[]> {
    return (await this.query('listWaiting', sessionId)).map(unpackMessage);
  }

  async join(lease: Lease, { frames, journal, ended }: JoinWrite): Promise<JoinOutcome> {
    const ends = ended.map(({ messageRef, reply }) => [messageRef, packEnd({ status: 'done', reply })] as const);
    const from = await this.mutate('join', packLease(lease), frames.map(packFrame), journal, ends);
    return from === 'changed' ? { kind: 'changed' } : written(lease, frames, from);
  }

  readTurn(messageRef: string): Promise<TurnRecord> {
    return this.query('readTurn', messageRef);
  }

  async readContext(sessionId: string, beforeRef: string, limit: number): Promise<readonly MessageWithReply[]> {
    return (await this.query('readContext', sessionId, beforeRef, limit)).map(unpackMessageWithReply);
  }

  find(sessionId: string): Promise<Session | undefined> {
    return this.query('findSession', sessionId);
  }

  findLatestMain(tenant: string, channels: readonly string[], sender: string): Promise<Session | undefined> {
    return this.query('findLatestMain', tenant, channels, sender);
  }

  update(sessionId: string, change: SessionChange): Promise<Session | undefined> {
    return this.mutate('updateSession', sessionId, change);
  }

  async readHistory(
    sessionId: string,
    limit: number,
    beforeRef?: string,
  ): Promise<{ messages: readonly MessageWithReply[]; more: boolean; headSeq: number }> {
    const page = await this.query('readHistory', sessionId, limit, beforeRef);
    return { ...page, messages: page.messages.map(unpackMessageWithReply) };
  }

  react(messageRef: string, reaction: StoredReaction, action: 'added' | 'removed'): Promise<void> {
    return this.mutate('react', messageRef, reaction, action === 'added');
  }

  saveMemory(memory: Memory, maxPerCollection: number): Promise<boolean> {
    return this.mutate('saveMemory', memory, maxPerCollection);
  }

  searchMemories(query: MemoryQuery): Promise<readonly Memory[]> {
    return this.query('searchMemories', query);
  }

  addMedia(record: MediaRecord): Promise<void> {
    return this.mutate('addMedia', record);
  }

  findMedia(tenant: string, mediaId: string): Promise<MediaRecord | undefined> {
    return this.query('findMedia', tenant, mediaId);
  }

  assignMedia(mediaIds: readonly string[], sessionId: string): Promise<void> {
    return this.mutate('assignMedia', mediaIds, sessionId);
  }

  listExpiredMedia(unclaimedBefore: number): Promise<readonly string[]> {
    return this.query('listExpiredMedia', unclaimedBefore);
  }

  forgetMedia(mediaIds: readonly string[]): Promise<void> {
    return this.mutate('forgetMedia', mediaIds);
  }

  openApproval(approval: Approval): Promise<Approval> {
    return this.mutate('openApproval', approval);
  }

  findApproval(tenant: string, approvalId: string): Promise<Approval | undefined> {
    return this.query('findApproval', tenant, approvalId);
  }

  listPendingApprovals(tenant: string): Promise<readonly Approval[]> {
    return this.query('listPendingApprovals', tenant);
  }

  decideApproval(approvalId: string, decision: ApprovalDecision, actor: string): Promise<Approval | undefined> {
    return this.mutate('decideApproval', approvalId, decision, actor);
  }

  readSettings(): Promise<StoredSettings> {
    return this.query('readSettings');
  }

  changeSettings(version: number, change: SettingsChange): Promise<StoredSettings | undefined> {
    return this.mutate('changeSettings', version, change);
  }

  readSecret(): Promise<Uint8Array> {
    return this.query('readSecret');
  }

  read(sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): Promise<FramePage> {
    return this.query('readFrames', sessionId, afterSeq, maxFrames, maxBytes);
  }

  readHeads(sessionIds: readonly string[]): Promise<readonly SessionCursor[]> {
    return this.query('readHeads', sessionIds);
  }

  moveCursor(client: ClientKey, sessionId: string, seq: number): Promise<void> {
    return this.mutate('moveCursor', client, sessionId, seq);
  }

  listResumable(client: ClientKey): Promise<readonly SessionCursor[]> {
    return this.query('listResumable', client);
  }

  private query<N extends ReadName>(name: N, ...all: OperationArguments<N>): Promise<OperationAnswer<N>> {
    return this.reads.call([name, ...all] as unknown as Call) as Promise<OperationAnswer<N>>;
  }

  private mutate<N extends WriteName>(name: N, ...all: OperationArguments<N>): Promise<OperationAnswer<N>> {
    return this.writes.call([name, ...all] as unknown as Call) as Promise<OperationAnswer<N>>;
  }

  private async run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply> {
    if (!this.executor) throw new Error('the store is not open');
    const reply = await this.executor.run({ kind, now: this.clock.now(), calls });
    this.watch(kind, reply.failures);
    return reply;
  }

  /** Logs the first failure of a series and its end, not each of thousands of calls in between. */
  private watch(kind: Batch['kind'], failures: readonly Failure[]): void {
    const failure = failures.find(({ unavailable }) => unavailable);
    if (failure && !this.failing) {
      this.failing = true;
      this.log.error({ error: failure.error }, 'the store cannot commit; nothing is accepted until it can');
    } else if (!failure && this.failing && kind === 'write') {
      this.failing = false;
      this.log.info({}, 'the store can commit again');
    }
  }
}

function explain(failure: Failure | Error): Error {
  if (failure instanceof Error) return new GatewayError('STORE_UNAVAILABLE', {}, { cause: failure });
  return failure.unavailable ? new GatewayError('STORE_UNAVAILABLE', {}, { cause: failure.error }) : failure.error;
}

function written({ sessionId }: Lease, frames: readonly NewFrame[], from: WrittenFrom): WriteOutcome {
  if (from === undefined) return { kind: 'fenced' };
  return { kind: 'written', frames: frames.map((frame, index) => ({ ...frame, sessionId, seq: from + index })) };
}
