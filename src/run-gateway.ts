import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Injectable, Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthService } from './auth/index.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import { ProcessGuardService } from './core/lifecycle/process-guard.service.js';
import { holdWarnings } from './core/lifecycle/process-warnings.js';
import { StartStopService } from './core/lifecycle/start-stop.service.js';
import { StartStep } from './core/lifecycle/steps.js';
import { PhaseService } from './core/phase/phase.service.js';
import { Store } from './core/store/index.js';
import type { Logs } from './core/telemetry/logs.js';
import { GatewayModule, type GatewayOptions } from './gateway.module.js';
import { EarlyProbes } from './health/early-probes.js';
import { DocumentsService } from './http/documents/documents.service.js';
import { createHttpAdapter } from './http/index.js';
import { checkAddress, explainListening } from './http/listen-address.js';
import { loadSettingsAndModules } from './settings.js';
import { NestLogs } from './telemetry/nest-logs.js';
import { limitHeap } from './limit-heap.js';
import { describeOpening, isStoreThere } from './stores/store-engines.js';
import { PinoLogs } from './telemetry/pino-logs.js';
import { TailscaleService, type TailscaleState } from './tailscale/tailscale.service.js';
import { GatewayWsAdapter } from './websocket/gateway-ws.adapter.js';

/** Settings from the command line. */
export interface StartOverrides {
  readonly port?: number;
  readonly host?: string;
  /** Path of the settings file. */
  readonly config?: string;
  readonly store?: string;
  /** Keys of settings whose changes at run time are removed. */
  readonly unset?: readonly string[];
}

/** Time after which a second signal ends the process, in milliseconds. */
const HURRY_MS = 1_500;
/** Time after which a signal during the start ends the process, in milliseconds. No message is acknowledged yet. */
const END_START_MS = 3_000;
/** Time in which a failed start closes what it opened, in milliseconds. */
const GIVE_UP_MS = 700;
/** Time within which equal signals count as one, in milliseconds. */
const SAME_SIGNAL_MS = 100;

/**
 * Runs the gateway in this process until a signal stops it. Prints one line when it is ready. A failed start closes
 * what it opened before it throws.
 * @param options parts from a team's own start script, for example its modules
 * @throws SettingsError; Error with advice for the operator when the store cannot be opened or the port is in use
 */
export async function runGateway(
  overrides: StartOverrides = {},
  options: Omit<GatewayOptions, 'settings' | 'logs'> = {},
): Promise<void> {
  const releaseWarnings = holdWarnings();
  limitHeap();
  const { settings: loaded, modules } = await loadSettingsAndModules(
    overrides.config === undefined ? process.env : { ...process.env, OPENCLAW_CONFIG: overrides.config },
    { 'gateway.port': overrides.port, 'gateway.host': overrides.host, 'store.url': overrides.store },
    options.modules,
  );
  const settings = { ...loaded, unset: overrides.unset };
  // Changes at run time may name another address: they are in the store, where there is one.
  const { 'gateway.host': host, 'gateway.port': port, 'store.url': storeUrl } = settings.values;
  const isThere = isStoreThere(storeUrl);
  if (!isThere) await checkAddress(host, port);
  const logs = new PinoLogs();
  const probes = new ProbesUntilListening();
  const modulesWithAddress = [...modules, AddressModule.with(probes)];
  const root = GatewayModule.forRoot({ ...options, modules: modulesWithAddress, settings, logs });
  const app = await NestFactory.create(root, createHttpAdapter(), {
    logger: new NestLogs(logs),
    abortOnError: false,
    forceCloseConnections: true,
  });
  for (const warning of settings.warnings) logs.for('config').warn({}, warning);
  app.useWebSocketAdapter(new GatewayWsAdapter(app));
  app.get(DocumentsService).describe(app);
  const guard = app.get(ProcessGuardService);
  guard.onEnd(() => process.exit(1));
  guard.onStart(releaseWarnings);
  stopOnSignals(app, logs);
  try {
    if (isThere && port !== 0) await probes.open(host, port, () => describeOpening(storeUrl));
    await app.init();
    await listen(app, probes);
    await app.get(StartStopService).whenReady;
  } catch (error) {
    await probes.close();
    await giveUp(app);
    throw error;
  }
  // A signal during the start: the stop is under way.
  if (!app.get(PhaseService).isDraining) await announce(app);
}

/** Serves the probes until the gateway listens. */
class ProbesUntilListening {
  private probes: EarlyProbes | undefined;
  private address: readonly [host: string, port: number] | undefined;

  async open(host: string, port: number, describe: () => Promise<string>): Promise<void> {
    this.address = [host, port];
    this.probes = await EarlyProbes.open(host, port, describe);
  }

  /** Whether they are served at this address. */
  areAt(host: string, port: number): boolean {
    return this.probes !== undefined && this.address?.[0] === host && this.address[1] === port;
  }

  /** Returns the server on which the gateway goes on to listen; undefined if there is none. */
  handOver(): Server | undefined {
    const server = this.probes?.listening;
    this.probes = undefined;
    return server;
  }

  async close(): Promise<void> {
    await this.probes?.close();
    this.probes = undefined;
  }
}

/** Checks the address before tools, timers and programs of servers start. */
@Injectable()
class AddressCheck {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly probes: ProbesUntilListening,
  ) {}

  @StartStep({ name: 'check the address', phase: 'configure', after: ['apply run-time settings'] })
  async check(): Promise<void> {
    const [host, port] = [this.config.get('gateway.host'), this.config.get('gateway.port')];
    if (this.probes.areAt(host, port)) return;
    await this.probes.close();
    try {
      await checkAddress(host, port);
    } catch (error) {
      const changed = (['gateway.host', 'gateway.port'] as const).find(
        (key) => this.config.sourceOf(key) === 'run time',
      );
      if (changed === undefined || !(error instanceof Error)) throw error;
      throw new Error(this.config.nameSource({ key: changed, message: error.message }).message, { cause: error });
    }
  }
}

@Module({ providers: [AddressCheck] })
class AddressModule {
  static with(probes: ProbesUntilListening): DynamicModule {
    return { module: AddressModule, providers: [{ provide: ProbesUntilListening, useValue: probes }] };
  }
}

/** Closes what a start that failed has opened, as far as that is possible within {@link GIVE_UP_MS}. */
async function giveUp(app: INestApplication): Promise<void> {
  app.get(StartStopService).hurry();
  const patience = new AbortController();
  // That something cannot be closed is the lesser fault.
  const closed = app.close().catch(() => {});
  await Promise.race([closed, setTimeout(GIVE_UP_MS, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
}

/**
 * Stops the gateway at the first SIGTERM or SIGINT, or when an operator asks for it. A second one hurries the stop and soon exits the
 * process.
 */
function stopOnSignals(app: INestApplication, logs: Logs): void {
  const startStop = app.get(StartStopService);
  let first: { readonly signal: string; readonly at: number } | undefined;
  const onSignal = (signal: string) => {
    if (first) {
      // A signal to the whole process group arrives twice if a launcher forwards it too.
      if (signal === first.signal && performance.now() - first.at < SAME_SIGNAL_MS) return;
      startStop.hurry();
      globalThis.setTimeout(() => process.exit(1), HURRY_MS).unref();
      return;
    }
    first = { signal, at: performance.now() };
    // A start that hangs may hang at its stop too, and in an exit that waits for a thread.
    if (app.get(PhaseService).phase === 'starting')
      globalThis.setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_START_MS).unref();
    logs.for('gateway').info({ signal }, 'stopping; a second signal hurries');
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logs.for('gateway').error({ error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  startStop.onStopRequested(() => {
    if (!first) onSignal('POST /admin/v1/drain');
  });
}

async function announce(app: INestApplication): Promise<void> {
  const url = await app.getUrl();
  process.stdout.write(`${describeStart(url, app.get(Store).label)}\n`);
  void announceExposure(app);
  // Printed only to a terminal, because the code is a credential.
  if (process.stdout.isTTY) process.stdout.write(`${describeChat(url, await app.get(AuthService).issuePageCode())}\n`);
}

/** Listens on the configured address, in place of the early probes if they are there. @throws Error with advice for the operator if it is not available */
async function listen(app: INestApplication, probes: ProbesUntilListening): Promise<void> {
  const config = app.get(ConfigStoreService);
  const [host, port] = [config.get('gateway.host'), config.get('gateway.port')];
  try {
    const early = probes.handOver();
    // Nest passes its parameters on to the server, which listens on another server too.
    await (early ? app.listen(early as never) : app.listen(port, host));
  } catch (error) {
    throw explainListening(error, host, port);
  }
}

function describeStart(url: string, store: string): string {
  return `OpenClaw gateway ready at ${url} (pid ${process.pid}, store ${store})`;
}

/** Prints the public address once it is known, which may take a while. */
async function announceExposure(app: INestApplication): Promise<void> {
  const state = await app.get(TailscaleService).whenLooked;
  if (state.kind === 'up') process.stdout.write(`${describeExposure(state)}\n`);
}

function describeExposure({ url, entry }: TailscaleState & { readonly kind: 'up' }): string {
  return entry.mode === 'serve'
    ? `Within the tailnet: ${url} (should the gateway crash, Tailscale forwards to its port until the next start)`
    : `On the internet: ${url}`;
}

/** Returns the line about the web chat. The code is in the fragment, which browsers do not send. */
function describeChat(url: string, code: string | undefined): string {
  return code === undefined
    ? `Web chat: ${url}/chat`
    : `Web chat: ${url}/chat#code=${code} (works once, within a minute)`;
}
