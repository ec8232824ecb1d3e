import { promised } from '../../core/store/done.js';
import { GatewayError } from '../../protocol/index.js';
import type {
  AcceptOutcome,
  BackupStore,
  Done,
  Lease,
  NewMessage,
  QueueLimits,
  Store,
  StoreCopyFile,
  TurnEnd,
  WriteOutcome,
} from '../../core/store/index.js';
import type { Log, Logs } from '../../core/telemetry/logs.js';
import { countEach, NoMetrics, type Counter, type Histogram, type Metrics } from '../../core/telemetry/metrics.js';
import type { Clock, Moment } from '../../core/time/clock.js';
import { startBackgroundCheck, type BackgroundCheck, type StartCheck } from './file/background-check.js';
import { makeCopy, removeCopies } from './file/background-copy.js';
import { Batcher, type BatcherHost } from './thread/batcher.js';
import { describeDamage } from './file/database.js';
import { startExecutor, type Executor, type StartExecutor } from './thread/executor.js';
import {
  callOf,
  OPERATIONS,
  type Batch,
  type BatchReply,
  type Call,
  type Failure,
  type Operation,
  type OperationName,
  type Ports,
} from './operations/index.js';
import { KeptRecords } from './thread/packing.js';
import { findRealFile } from './file/real-file.js';
import { parseSqliteUrl } from './sqlite-url.js';

/** The methods that the table of operations implements: all ports of `core/store` in one object. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the static block below defines all of them
export interface SqliteStore extends Ports {}

/**
 * The store on one SQLite file, which this process owns. It forwards calls to the thread that has the file; concurrent
 * calls share a commit. Its methods are derived from the table of operations.
 */
export class SqliteStore implements Store, BackupStore {
  static {
    for (const name of Object.keys(OPERATIONS) as OperationName[]) {
      const method = function (this: SqliteStore, ...all: never[]) {
        return promised((done) => this.call(name, all, done));
      };
      Object.defineProperty(this.prototype, name, { value: method, configurable: true, writable: true });
    }
  }

  readonly label: string;
  readonly isShared = false;
  logEpoch = '';
  private hasDied = false;
  private readonly path: string | undefined;
  private readonly log: Log;
  private readonly commits: Readonly<Record<'ok' | 'failed', Counter>>;
  private readonly commitSeconds: Histogram;
  private readonly batchers: Readonly<Record<Batch['kind'], Batcher>>;
  private readonly kept = new KeptRecords();
  private executor: Executor | undefined;
  private closing: Promise<void> | undefined;
  private background: BackgroundCheck | undefined;
  /** True if the last batch failed. */
  private failing = false;

  /** @param url `sqlite:PATH` or `sqlite::memory:` */
  constructor(
    url: string,
    private readonly clock: Clock,
    logs: Logs,
    metrics: Metrics = new NoMetrics(),
    private readonly start: StartExecutor = startExecutor,
    private readonly startCheck: StartCheck = startBackgroundCheck,
  ) {
    this.label = url;
    this.path = parseSqliteUrl(url);
    this.log = logs.for('store');
    this.commits = countEach(metrics, {
      name: 'openclaw_store_commits_total',
      help: 'Commits of the store, by outcome. Concurrent calls share one.',
      label: 'outcome',
      values: ['ok', 'failed'],
    });
    this.commitSeconds = metrics
      .histogram({
        name: 'openclaw_store_commit_seconds',
        help: 'Duration of a commit, including the way to the thread.',
        buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      })
      .with({});
    const host: BatcherHost = {
      run: (kind, calls) => this.run(kind, calls),
      explain: (failure) => explain(failure),
    };
    this.batchers = { read: new Batcher('read', host), write: new Batcher('write', host) };
  }

  async open(): Promise<void> {
    const options = { path: this.path, startedAt: this.readClock() };
    this.executor = await this.start(options, (error) => {
      this.hasDied = true;
      this.log.error({ error }, "the store's thread has died; nothing can be stored until a restart");
    });
    const { migrated, logEpoch } = this.executor;
    this.logEpoch = logEpoch;
    if (this.path !== undefined) await removeCopies(findRealFile(this.path));
    this.log.info({ store: this.label, ...(migrated.length > 0 && { migrated }) }, 'store open');
    if (this.executor.isRecovered && this.path !== undefined) void this.checkFile(this.path);
  }

  /** Looks for damage after an unclean stop, while the gateway serves: it reads the whole file. */
  private async checkFile(path: string): Promise<void> {
    this.background = this.startCheck(path);
    try {
      const finding = await this.background.finding;
      if (finding === undefined) this.log.info({}, 'the gateway was not stopped cleanly; the database is undamaged');
      else this.log.error({}, describeDamage(path, finding));
    } catch (error) {
      if (!this.closing) this.log.warn({ error }, 'the database could not be checked; run: openclaw doctor --deep');
    }
  }

  get isDead(): boolean {
    return this.hasDied;
  }

  close(): Promise<void> {
    this.closing ??= this.finishAndClose();
    return this.closing;
  }

  async copy(signal?: AbortSignal): Promise<StoreCopyFile> {
    if (this.path === undefined) throw new GatewayError('FORBIDDEN', { reason: 'a store in memory has no backups' });
    return makeCopy(findRealFile(this.path), signal);
  }

  private async finishAndClose(): Promise<void> {
    this.background?.stop();
    await Promise.all([this.batchers.read.idle(), this.batchers.write.idle()]);
    const executor = this.executor;
    this.executor = undefined;
    await executor?.close();
  }

  /** Returns at once: no other process writes to this file, so there are no hints. */
  onHint(): () => void {
    return () => {};
  }

  acceptThen(message: NewMessage, limits: QueueLimits, done: Done<AcceptOutcome>): void {
    this.call('accept', [message, limits], done as Done<unknown>);
  }

  finishThen(lease: Lease, end: TurnEnd, done: Done<WriteOutcome>): void {
    this.call('finish', [lease, end], done as Done<unknown>);
  }

  private call(name: OperationName, all: readonly unknown[], done: Done<unknown>): void {
    const { kind, isLast, unpack }: Operation = OPERATIONS[name];
    const call = callOf(name, ...(all as never));
    this.batchers[kind].call(call, unpack ? (returned) => done(this.unpack(unpack, returned, all)) : done, isLast);
  }

  /** Returns the result of a call, or its error. */
  private unpack(unpack: NonNullable<Operation['unpack']>, returned: unknown, all: readonly unknown[]): unknown {
    if (returned instanceof Error) return returned;
    try {
      return unpack(returned, all, this.kept);
    } catch (error) {
      return error;
    }
  }

  /** Not asynchronous itself: that would keep the calls until the reply. */
  private run(kind: Batch['kind'], calls: readonly Call[]): Promise<BatchReply> {
    if (!this.executor) return Promise.reject(new Error('the store is not open'));
    const sentAt = this.readClock();
    return this.executor.run({ kind, ...sentAt, calls }).then((reply) => this.note(kind, sentAt, reply));
  }

  private note(kind: Batch['kind'], sentAt: Moment, reply: BatchReply): BatchReply {
    const isUnavailable = this.watch(kind, reply.failures);
    if (kind === 'write') {
      this.commits[isUnavailable ? 'failed' : 'ok'].add();
      this.commitSeconds.observe((this.clock.elapsed() - sentAt.elapsed) / 1_000);
    }
    return reply;
  }

  private readClock(): Moment {
    return { now: this.clock.now(), elapsed: this.clock.elapsed() };
  }

  /**
   * Logs the first failure of a series and the end of the series, but not each failed call. Returns whether the store
   * was unavailable to any of the calls.
   */
  private watch(kind: Batch['kind'], failures: readonly Failure[]): boolean {
    const failure = failures.find(({ unavailable }) => unavailable);
    if (failure && !this.failing) {
      this.failing = true;
      this.log.error({ error: failure.error }, 'the store cannot commit; nothing is accepted until it can');
    } else if (!failure && this.failing && kind === 'write') {
      this.failing = false;
      this.log.info({}, 'the store can commit again');
    }
    return failure !== undefined;
  }
}

function explain(failure: Failure | Error): Error {
  if (failure instanceof Error) return new GatewayError('STORE_UNAVAILABLE', {}, { cause: failure });
  return failure.unavailable ? new GatewayError('STORE_UNAVAILABLE', {}, { cause: failure.error }) : failure.error;
}
