import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AgentsService } from '../../core/agents/agents.service.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { StartStep } from '../../core/lifecycle/steps.js';
import { SessionResources, type SessionResource } from '../../core/sessions/session-resources.js';
import type { Session } from '../../core/store/index.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import type { CommandSandbox } from '../../core/tools/command-sandbox.js';
import { BubblewrapEngine } from './bubblewrap-engine.js';
import { DockerEngine } from './docker-engine.js';
import { findEngine } from './find-engine.js';
import { MEGABYTE, SandboxUnavailableError, type SandboxCommand, type SandboxEngine } from './sandbox-engine.js';
import { EMPTY_WORKSPACE, Workspaces } from './workspaces.js';

/** Output after which a command is stopped, in bytes: receiving it costs the gateway time. */
const MAX_OUTPUT_BYTES = 64 * MEGABYTE;
/** Interval of measuring the workspace while a command runs, in milliseconds. */
const MEASURE_INTERVAL_MS = 1_000;
/** Time after which an engine is looked for again before it is used, in milliseconds. */
const LOOK_AGAIN_AFTER_MS = 60_000;
/** Marker file: an engine was used, so the next start looks for leftovers. */
const USED_MARK = '.sandbox-was-used';

/** The fields of a session that decide which workspace it has. */
export type WorkspaceOwner = Pick<Session, 'id' | 'tenant' | 'agent'>;

/** A command of a tool. */
export interface SandboxRequest {
  readonly argv: readonly string[];
  readonly input?: Uint8Array;
  readonly mounts?: SandboxCommand['mounts'];
  /** Time limit in milliseconds; `tools.sandbox.timeout_ms` is the default and the maximum. */
  readonly timeoutMs?: number;
  readonly onOutput: SandboxCommand['onOutput'];
}

/** The end of a tool's command. It has an `exitCode` only if it was not stopped. */
export type SandboxEnding =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'stopped'; readonly reason: string };

/** Stops a run. The caller gets the message as the reason. */
class Stop extends Error {}

/** Where commands run. */
interface Place {
  readonly workspaces: Workspaces;
  readonly workspaceOf: SessionResource<string>;
  readonly engines: readonly SandboxEngine[];
}

/** Runs commands of tools in a sandbox, in the workspace of their session (`tools.sandbox.*`). */
@Injectable()
export class SandboxService implements CommandSandbox {
  private readonly log: Log;
  private made: Place | undefined;
  /** No engine was found for this setting; {@link isReady} looks again after `until`, in {@link Clock.elapsed}. */
  private missing: { readonly setting: string; readonly until: number } | undefined;
  private chosen: { readonly setting: string; readonly engine: Promise<SandboxEngine> } | undefined;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly resources: SessionResources,
    private readonly agents: AgentsService,
    logs: Logs,
  ) {
    this.log = logs.for('tools');
  }

  /** Removes leftovers of a crash in the background. */
  @StartStep({ name: 'remove leftovers of the sandbox', phase: 'register' })
  removeLeftovers(): void {
    if (!existsSync(join(this.place.workspaces.root, USED_MARK))) return;
    this.choose().catch((error: unknown) =>
      this.log.warn({ error }, 'no sandbox engine: commands of an earlier process may still be running'),
    );
  }

  /**
   * Runs a command in the workspace of `session`. Resolves when it has ended.
   * @throws SandboxUnavailableError if there is no engine; the reason of `signal` when it aborts
   */
  async run(session: WorkspaceOwner, request: SandboxRequest, signal: AbortSignal): Promise<SandboxEnding> {
    const engine = await this.choose();
    return this.place.workspaceOf.use(this.nameWorkspace(session), (workspace) =>
      this.runIn(workspace, engine, request, signal),
    );
  }

  async isReady(): Promise<boolean> {
    const setting = this.config.get('tools.sandbox.engine');
    if (this.missing?.setting === setting && this.clock.elapsed() < this.missing.until) return false;
    try {
      await this.choose();
      return true;
    } catch (error) {
      this.missing = { setting, until: this.clock.elapsed() + LOOK_AGAIN_AFTER_MS };
      if (!(error instanceof SandboxUnavailableError))
        this.log.warn({ error }, 'a sandbox engine could not be examined');
      return false;
    }
  }

  /** Returns why the workspace of `session` cannot take more data (full, or not measurable); undefined if it can. */
  async findQuotaFault(session: WorkspaceOwner): Promise<string | undefined> {
    return this.place.workspaceOf.use(this.nameWorkspace(session), (workspace) => this.checkQuota(workspace));
  }

  /** Returns the name of a session's workspace: its own, or that of its agent, one for each tenant. */
  private nameWorkspace({ id, tenant, agent }: WorkspaceOwner): string {
    if (this.agents.findFor(tenant, agent)?.workspace !== 'agent') return id;
    return `a_${createHash('sha256').update(`${agent}\0${tenant}`).digest('base64url').slice(0, 32)}`;
  }

  /** Made at the start, when changes of earlier runs are in force. */
  private get place(): Place {
    return (this.made ??= this.makePlace());
  }

  private makePlace(): Place {
    const workspaces = new Workspaces(
      this.config.get('tools.sandbox.workspaces'),
      (folder) => this.empty(folder),
      () => this.config.get('tools.sandbox.max_workspaces'),
    );
    const owner = createHash('sha256').update(`${hostname()}\0${workspaces.root}`).digest('hex').slice(0, 16);
    const engines = [
      new DockerEngine({ owner, image: () => this.config.get('tools.sandbox.image') }),
      new BubblewrapEngine(workspaces.root),
    ];
    return { workspaces, workspaceOf: this.resources.register(workspaces), engines };
  }

  private async runIn(
    workspace: string,
    engine: SandboxEngine,
    request: SandboxRequest,
    signal: AbortSignal,
  ): Promise<SandboxEnding> {
    await writeFile(join(this.place.workspaces.root, USED_MARK), '');
    const stop = new AbortController();
    const limits = await this.buildLimits(workspace, request);
    const timers = [
      this.clock.setTimer(limits.timeoutMs, () => stop.abort(new Stop(`it did not end within ${limits.timeoutMs} ms`))),
      this.clock.setRepeating(MEASURE_INTERVAL_MS, () => void this.watchQuota(workspace, stop)),
    ];
    const onOutput = capOutput(request.onOutput, stop);
    try {
      const command: SandboxCommand = { ...request, workspace, limits, onOutput };
      const { exitCode, isOutOfMemory } = await engine.run(command, AbortSignal.any([signal, stop.signal]));
      if (isOutOfMemory) return { kind: 'stopped', reason: `it needed more than ${limits.memoryMb} MB of memory` };
      return { kind: 'exited', exitCode };
    } catch (error) {
      if (error instanceof Stop) return { kind: 'stopped', reason: error.message };
      // Choose an engine again at the next use.
      if (error instanceof SandboxUnavailableError) this.chosen = undefined;
      throw error;
    } finally {
      for (const cancel of timers) cancel();
    }
  }

  /** Empties a workspace as the sandbox's user, who may have made it inaccessible to others. */
  private async empty(workspace: string): Promise<void> {
    const engine = await this.choose();
    const limits = await this.buildLimits(workspace, {});
    const stop = new AbortController();
    const cancelTimer = this.clock.setTimer(limits.timeoutMs, () => stop.abort(new Stop('it took too long')));
    try {
      await engine.run(
        { argv: ['/bin/sh', '-c', EMPTY_WORKSPACE], workspace, limits, onOutput: () => {} },
        stop.signal,
      );
    } finally {
      cancelTimer();
    }
  }

  private async buildLimits(
    workspace: string,
    { timeoutMs = Infinity }: Pick<SandboxRequest, 'timeoutMs'>,
  ): Promise<SandboxCommand['limits']> {
    const { bytes } = await this.place.workspaces.measure(workspace);
    return {
      memoryMb: this.config.get('tools.sandbox.memory_mb'),
      cpu: this.config.get('tools.sandbox.cpu'),
      pids: this.config.get('tools.sandbox.pids'),
      timeoutMs: Math.min(timeoutMs, this.config.get('tools.sandbox.timeout_ms')),
      // In a full workspace files can only be deleted.
      fileBytes: Math.max(0, this.quotaBytes - bytes),
    };
  }

  private get quotaBytes(): number {
    return this.config.get('tools.sandbox.quota_mb') * MEGABYTE;
  }

  private async watchQuota(workspace: string, stop: AbortController): Promise<void> {
    const fault = await this.checkQuota(workspace);
    if (fault !== undefined) stop.abort(new Stop(fault));
  }

  private async checkQuota(workspace: string): Promise<string | undefined> {
    const { bytes, reason } = await this.place.workspaces.measure(workspace);
    if (bytes <= this.quotaBytes) return undefined;
    return `the workspace is full: ${reason ?? `it holds ${Math.round(bytes / MEGABYTE)} of ${this.quotaBytes / MEGABYTE} MB`}`;
  }

  /**
   * Returns the configured engine. It is found at the first use, and again after a failure or a change of the setting.
   */
  private choose(): Promise<SandboxEngine> {
    const setting = this.config.get('tools.sandbox.engine');
    if (this.chosen?.setting !== setting) {
      const engine = findEngine(this.place.engines, setting);
      this.chosen = { setting, engine };
      engine.then(
        ({ name }) => this.log.info({ engine: name }, 'commands run in a sandbox'),
        // It may be installed before the next use.
        () => (this.chosen = undefined),
      );
    }
    return this.chosen.engine;
  }
}

function capOutput(onOutput: SandboxCommand['onOutput'], stop: AbortController): SandboxCommand['onOutput'] {
  let bytes = 0;
  return (chunk, stream) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) stop.abort(new Stop(`it printed more than ${MAX_OUTPUT_BYTES / MEGABYTE} MB`));
    else onOutput(chunk, stream);
  };
}
