import { CronJobsService } from '../core/cron/cron-jobs.service.js';
import { CronRunsService } from '../core/cron/cron-runs.service.js';
import { CronService } from '../core/cron/cron.service.js';
import type { JobInput } from '../core/cron/job-schema.js';
import { MakerRightsService } from '../core/cron/maker-rights.service.js';
import type { Undo } from '../core/lifecycle/steps.js';
import type { CronJob, CronRun, CronStore, MessageWithReply } from '../core/store/index.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { buildSessionSeed } from '../core/sessions/session-key.js';
import { CoreHarness, type CoreHarnessOptions } from './core-harness.js';
import { ManualClock } from './manual-clock.js';

const MAKER = {
  tenant: 'default',
  maker: { kind: 'operator', principal: 'operator' },
  actor: 'operator',
  owner: 'test/alice',
} as const;

/** Steps in which time passes, in milliseconds. */
const STEP_MS = 1_000;
/** Ticks of the event loop that a look takes at most. */
const MAX_TICKS = 60;
/** Ticks that the work of a look takes. */
const MIN_TICKS = 12;

/** Replaces the store that the scheduler sees, for example by one that dies. */
export type WrapStore = (store: CronStore) => CronStore;

/** The cron scheduler on the control plane, with a manual clock. Jobs speak to `alice` of the channel `test`. */
export class CronHarness {
  /** Principals whose credentials are gone. */
  readonly gone = new Set<string>();
  /** Sessions whose resources were ended. */
  readonly endedSessions: string[] = [];
  cron: CronService;
  jobs: CronJobsService;
  private undo: Undo | undefined;

  private constructor(readonly core: CoreHarness) {
    ({ cron: this.cron, jobs: this.jobs } = this.makeServices((store) => store));
  }

  /** @param now in ISO 8601 */
  static async start(now: string, options: CoreHarnessOptions = {}): Promise<CronHarness> {
    const core = await new CoreHarness({ clock: new ManualClock(Date.parse(now)), ...options }).start();
    const harness = new CronHarness(core);
    harness.startCron();
    await harness.settle();
    return harness;
  }

  get store(): CronStore {
    return this.core.store;
  }

  get clock(): ManualClock {
    return this.core.clock;
  }

  /** Adds a job that says "ping" to alice. */
  add(changes: Partial<JobInput> & Pick<JobInput, 'schedule'>): Promise<CronJob> {
    const job = { name: 'a job', target: { channel: 'test', sender: 'alice' }, message: 'ping', ...changes };
    return this.jobs.add(job, MAKER);
  }

  /** Lets time pass on both clocks, second by second, with all that happens in it. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(left, STEP_MS));
      await this.settle();
    }
  }

  /** Lets time pass until a time, in ISO 8601. Only the moments around due times take time in this process. */
  async passUntil(time: string): Promise<void> {
    const end = Date.parse(time);
    for (;;) {
      const { wakeAt = Infinity } = await this.store.readCronAgenda();
      const next = Math.min(wakeAt - STEP_MS, end);
      if (next > this.clock.now()) this.clock.setWallTime(next - this.clock.now());
      this.cron.wake();
      await this.pass(Math.min(4 * STEP_MS, end - this.clock.now()));
      if (this.clock.now() >= end) return;
    }
  }

  /** Sets the wall clock to a time, in ISO 8601, and lets the scheduler look. */
  async setClock(time: string): Promise<void> {
    this.clock.setWallTime(Date.parse(time) - this.clock.now());
    await this.pass(15_000);
  }

  /** Waits until nothing happens without time passing. A scheduler that a test has killed never ends its look. */
  async settle(): Promise<void> {
    let hasLooked = false;
    void this.cron.whenLooked().then(() => (hasLooked = true));
    for (let ticks = 0; ticks < MIN_TICKS || (!hasLooked && ticks < MAX_TICKS); ticks++)
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** Starts the scheduler: the first one, or another one after a crash of the one before. */
  startCron(wrap: WrapStore = (store) => store): void {
    ({ cron: this.cron, jobs: this.jobs } = this.makeServices(wrap));
    this.undo = this.cron.start();
  }

  /** Ends the scheduler as a stop of the gateway does. */
  async stopCron(): Promise<void> {
    void this.undo?.(new AbortController().signal);
    await this.settle();
    this.undo = undefined;
  }

  async stop(): Promise<void> {
    await this.stopCron();
    await this.core.stop();
  }

  /** Returns the runs of a job, oldest first. */
  async runs({ jobId }: Pick<CronJob, 'jobId'>): Promise<readonly CronRun[]> {
    return (await this.jobs.history('default', jobId, 200)).toReversed();
  }

  /** Returns the messages of a session with their replies, by default those of alice, oldest first. */
  async messages(
    session = buildSessionSeed('default', { channel: 'test', sender: 'alice' }).id,
  ): Promise<readonly MessageWithReply[]> {
    const { messages } = await this.core.store.readHistory(session, 1_000);
    return messages;
  }

  private makeServices(wrap: WrapStore): { readonly cron: CronService; readonly jobs: CronJobsService } {
    const { core } = this;
    const { agents, queue, config, clock, metrics, store } = core;
    const logs = new SilentLogs();
    const resources = {
      register: () => ({ use: () => Promise.reject(new Error('not used')) }),
      end: async (sessionId: string) => void this.endedSessions.push(sessionId),
      sweep: async () => {},
    };
    const cronStore = wrap(store);
    const runs = new CronRunsService(cronStore, queue, agents, resources, clock, metrics, logs);
    const principals = {
      findToolPermissions: () => undefined,
      isGone: (_: string, name: string) => this.gone.has(name),
    };
    const rights = new MakerRightsService(principals, store, agents);
    const cron = new CronService(cronStore, runs, rights, queue, clock, logs);
    return { cron, jobs: new CronJobsService(store, cron, runs, queue, agents, config, store, clock) };
  }
}

/** Returns a store whose scheduler dies at the first call of a method that has work, before or after its effect. */
export function dieAt(store: CronStore, method: keyof CronStore, hasEffect: boolean): CronStore {
  let isDead = false;
  return new Proxy(store, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...all: unknown[]) => Promise<unknown>;
      return async (...all: unknown[]) => {
        if (isDead) return new Promise(() => {});
        if (name !== method) return call.apply(target, all);
        const isIdle = method === 'listDueCronJobs' && (await target.listDueCronJobs(all[0] as number, 1)).length === 0;
        if (isIdle) return [];
        isDead = true;
        if (hasEffect) await call.apply(target, all);
        return new Promise(() => {});
      };
    },
  });
}
