import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { ReachService } from '../core/reach/reach.service.js';
import { TailscaleStore, type TailscaleEntry } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { Exposure } from './exposure.js';
import { ServeListener } from './serve-listener.js';
import { describeAddress, TailscaleClient } from './tailscale-client.js';

/** Period of looking at the entry, in milliseconds. */
export const LOOK_INTERVAL_MS = 60_000;
/** Time limit of each call at the stop, and at a stop in a hurry, in milliseconds. */
const STOP_CALL_MS = 3_000;
const HURRIED_CALL_MS = 500;
const STOP_MS = 15_000;

/** The settings that decide on the entry and may change at run time. */
const WATCHED = ['gateway.expose_via_tailscale', 'gateway.tailscale_mode', 'gateway.tailscale_port'] as const;

/** The reachability of the gateway through Tailscale. `degraded`: it should be reachable, and is not. */
export type TailscaleState =
  | { readonly kind: 'off' | 'starting' }
  | { readonly kind: 'up'; readonly url: string; readonly entry: TailscaleEntry }
  | { readonly kind: 'degraded'; readonly problem: string };

/** Keeps the gateway reachable through Tailscale while it runs, as its settings want it. */
@Injectable()
export class TailscaleService {
  private readonly log: Log;
  private readonly exposure: Exposure;
  private readonly stopping = new AbortController();
  private readonly looked = Promise.withResolvers<TailscaleState>();
  private current: TailscaleState = { kind: 'off' };
  /** The last address at which it was up. Requests may still arrive there although the machine cannot be asked. */
  private lastUrl: string | undefined;
  /** The end of the last look that was asked for. Looks run one after the other. */
  private work: Promise<void> = Promise.resolve();
  /** The look that has not begun. It will see all changes until then. */
  private next: Promise<void> | undefined;

  // oxlint-disable-next-line max-params -- what is exposed, where that is kept, what shows it
  constructor(
    private readonly client: TailscaleClient,
    private readonly config: ConfigStoreService,
    private readonly http: HttpAdapterHost,
    private readonly reach: ReachService,
    private readonly clock: Clock,
    private readonly listener: ServeListener,
    store: TailscaleStore,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    this.exposure = new Exposure(client, store, clock, () =>
      this.noteProblem('the program that holds the funnel has ended'),
    );
  }

  /** Resolves with the state after the first look. */
  get whenLooked(): Promise<TailscaleState> {
    return this.looked.promise;
  }

  get state(): TailscaleState {
    return this.current;
  }

  /** Does not wait: the gateway works without Tailscale. */
  @StartStep({
    name: 'expose through Tailscale',
    phase: 'run',
    undoneIn: 'disconnect',
    undoneWithinMs: STOP_MS,
  })
  start(): Undo | undefined {
    // Without a port there is nothing to expose.
    if (!this.server.listening) return undefined;
    const unwatch = WATCHED.map((key) => this.config.watch(key, () => void this.look()));
    const stopLooking = this.clock.setRepeating(LOOK_INTERVAL_MS, () => {
      if (this.isWanted || this.current.kind === 'degraded') void this.look();
    });
    if (this.isWanted) this.current = { kind: 'starting' };
    this.warnOfIdentity();
    void this.look().then((state) => this.looked.resolve(state));
    return async (hurry) => {
      stopLooking();
      for (const stop of unwatch) stop();
      await this.stop(hurry);
    };
  }

  /** Looks at the entry, and sets or removes it. Resolves with the state after that. */
  async look(): Promise<TailscaleState> {
    if (!this.next) {
      this.next = this.work.then(() => this.lookOnce());
      this.work = this.next;
    }
    await this.next;
    return this.current;
  }

  /** Resolves when the looks that were asked for have ended. */
  async whenSettled(): Promise<void> {
    await this.work;
  }

  private async lookOnce(): Promise<void> {
    this.next = undefined;
    const { signal } = this.stopping;
    if (signal.aborted) return;
    try {
      if (!this.isWanted) return await this.withdraw();
      const host = await this.client.findHost(signal);
      const entry = await this.prepareEntry(host);
      await this.exposure.establish(entry, signal);
      this.noteUp(entry);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!signal.aborted) this.noteProblem(reason);
    }
  }

  private async stop(hurry: AbortSignal): Promise<void> {
    this.stopping.abort();
    await this.work;
    try {
      await this.withdraw(hurry.aborted ? HURRIED_CALL_MS : STOP_CALL_MS);
    } catch (error) {
      this.log.warn({ error }, 'the gateway could not be taken out of Tailscale; the next start does that');
    }
    this.listener.close();
  }

  private async withdraw(timeoutMs?: number): Promise<void> {
    await this.exposure.withdraw(timeoutMs);
    this.current = { kind: 'off' };
    this.lastUrl = undefined;
    this.reach.note({});
  }

  private noteUp(entry: TailscaleEntry): void {
    const { host, port, mode } = entry;
    const url = describeAddress(host, port);
    const isNew = this.current.kind !== 'up' || this.current.url !== url || this.current.entry.mode !== mode;
    this.current = { kind: 'up', url, entry };
    this.lastUrl = url;
    this.reach.note({ url });
    if (!isNew) return;
    const where = mode === 'serve' ? 'within the tailnet' : 'on the internet';
    this.log.info({ url, mode, target: entry.target }, `reachable through Tailscale ${where}`);
  }

  /** @param reason why the entry is not there, or still is */
  private noteProblem(reason: string): void {
    const problem = `${this.isWanted ? 'not reachable' : 'still reachable'} through Tailscale: ${reason}`;
    const isNew = this.current.kind !== 'degraded' || this.current.problem !== problem;
    this.current = { kind: 'degraded', problem };
    this.reach.note({ url: this.lastUrl, problem });
    if (isNew) this.log.warn({}, problem);
  }

  private warnOfIdentity(): void {
    const setting = this.config.get('auth.tailscale');
    if (setting === false) return;
    if (setting === 'trust-local')
      this.log.warn(
        {},
        'auth.tailscale is trust-local: every process of this machine can act as every user of the tailnet',
      );
    if (Object.keys(this.config.get('auth.tailscale_users')).length === 0)
      this.log.warn({}, 'auth.tailscale lets no person in: auth.tailscale_users is empty');
    if (!this.isWanted || this.config.get('gateway.tailscale_mode') === 'funnel')
      this.log.warn(
        {},
        'auth.tailscale has no effect: it needs gateway.expose_via_tailscale with gateway.tailscale_mode serve',
      );
  }

  private get isWanted(): boolean {
    return this.config.get('gateway.expose_via_tailscale');
  }

  /** Returns what is to be set. People are known only on a socket that only tailscaled reaches, which is opened first. */
  private async prepareEntry(host: string): Promise<TailscaleEntry> {
    const [mode, port] = [this.config.get('gateway.tailscale_mode'), this.config.get('gateway.tailscale_port')];
    if (mode === 'funnel' || this.config.get('auth.tailscale') !== true) {
      this.listener.close();
      return { host, port, mode, target: describeTarget(this.server.address() as AddressInfo) };
    }
    await this.listener.open();
    return { host, port, mode, target: this.listener.target };
  }

  private get server(): Server {
    return this.http.httpAdapter.getHttpServer() as Server;
  }
}

/** Returns where programs of this machine reach a server. */
function describeTarget({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
