import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { collectSteps, type StartableStep } from './collect-steps.js';
import { PhaseService } from '../phase/phase.service.js';
import { START_PHASES, STOP_PHASES, type StartPhase, type StopPhase, type Undo } from './steps.js';

interface StopTask {
  readonly name: string;
  readonly withinMs: number;
  readonly run: Undo;
}

/** Starts and stops the gateway: the steps of all parts, in the order of START_PHASES and STOP_PHASES. */
@Injectable()
export class StartStopService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly log: Log;
  private readonly hurrying = new AbortController();
  private readonly readiness = Promise.withResolvers<void>();
  private steps: ReturnType<typeof collectSteps> = { start: [], stop: [] };
  /** Start steps that ran and can be undone, in the order in which they ran. */
  private readonly started: { readonly step: StartableStep; readonly undo: Undo }[] = [];
  /** Stop phases that have begun: what starts too late for its phase is undone at once. */
  private readonly begun = new Set<StopPhase>();
  private stopProcess: (() => void) | undefined;
  private stopFailure: { readonly error: unknown } | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly life: PhaseService,
    private readonly http: HttpAdapterHost,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  /** Resolves when the gateway is ready. Rejects when a step fails after the port was opened. */
  get whenReady(): Promise<void> {
    return this.readiness.promise;
  }

  /**
   * Releases running turns immediately instead of waiting for them. They continue after the next start, so nothing is
   * lost.
   */
  hurry(): void {
    this.hurrying.abort();
  }

  /** Sets how the process is stopped: only what has created the application can close it. */
  onStopRequested(stop: () => void): void {
    this.stopProcess = stop;
  }

  /** False if an application embeds the gateway and stops it itself. */
  get canStop(): boolean {
    return this.stopProcess !== undefined;
  }

  /** Begins the stop of the process. */
  requestStop(): void {
    this.stopProcess?.();
  }

  async onApplicationBootstrap(): Promise<void> {
    this.steps = collectSteps(this.discovery);
    this.http.listen$?.subscribe(() => void this.becomeReady());
    await this.start(START_PHASES.beforeListening);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.life.moveTo('draining');
    await this.stop(STOP_PHASES.listening);
  }

  /** @throws the error of the first stop step that failed; the other steps run all the same */
  async onApplicationShutdown(): Promise<void> {
    await this.stop(STOP_PHASES.notListening);
    this.life.moveTo('stopped');
    if (this.stopFailure) throw this.stopFailure.error;
  }

  /** Runs the steps that follow the opening of the port: called when it is open, and by a process that opens none. */
  async becomeReady(): Promise<void> {
    if (this.life.phase !== 'starting') return;
    this.life.moveTo('live');
    try {
      await this.start(START_PHASES.listening);
      if (!this.life.isDraining) this.life.moveTo('ready');
      this.readiness.resolve();
    } catch (error) {
      this.readiness.reject(error);
    }
  }

  private async start(phases: readonly StartPhase[]): Promise<void> {
    try {
      for (const step of this.steps.start.filter(({ phase }) => phases.includes(phase))) {
        if (this.life.isDraining) return;
        this.log.debug({ step: step.name }, 'lifecycle');
        const undo = await step.run(this.hurrying.signal);
        if (typeof undo === 'function') this.started.push({ step, undo: undo as Undo });
        if (this.begun.has(step.undoneIn)) for (const task of this.takeUndos(step.undoneIn)) await this.runTask(task);
      }
    } catch (error) {
      this.hurry();
      for (const task of this.takeUndos()) await this.runTask(task);
      throw error;
    }
  }

  private async stop(phases: readonly StopPhase[]): Promise<void> {
    for (const phase of phases) {
      this.begun.add(phase);
      const steps = this.steps.stop.filter((step) => step.phase === phase);
      for (const task of [...this.takeUndos(phase), ...steps]) await this.runTask(task);
    }
  }

  /** Removes and returns the undo functions of a phase, or all of them, the last started first. */
  private takeUndos(phase?: StopPhase): readonly StopTask[] {
    const taken = this.started.filter(({ step }) => phase === undefined || step.undoneIn === phase);
    for (const entry of taken) this.started.splice(this.started.indexOf(entry), 1);
    return taken.reverse().map(({ step, undo }) => ({ name: step.name, withinMs: step.undoneWithinMs, run: undo }));
  }

  /** Runs one task. A task that fails or hangs does not prevent the others. */
  private async runTask({ name, withinMs, run }: StopTask): Promise<void> {
    this.log.debug({ step: name }, 'lifecycle');
    const patience = new AbortController();
    try {
      const done = Promise.resolve(run(this.hurrying.signal)).then(() => 'done' as const);
      if (withinMs === Infinity) return void (await done);
      const timeout = this.clock.sleep(withinMs, patience.signal).then(() => 'late' as const);
      if ((await Promise.race([done, timeout])) === 'late') {
        this.log.warn({ step: name, within_ms: withinMs }, 'a step of the stop takes too long; continuing without it');
      }
    } catch (error) {
      this.log.error({ error, step: name }, 'a step of the stop failed');
      this.stopFailure ??= { error };
    } finally {
      patience.abort();
    }
  }
}
