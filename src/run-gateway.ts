import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthService } from './auth/index.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import { StartStopService } from './core/lifecycle/start-stop.service.js';
import { PhaseService } from './core/phase/phase.service.js';
import { Store } from './core/store/index.js';
import type { Logs } from './core/telemetry/logs.js';
import { GatewayModule, type GatewayOptions } from './gateway.module.js';
import { DocumentsService } from './http/documents.service.js';
import { createHttpAdapter } from './http/index.js';
import { loadSettingsAndModules } from './settings.js';
import { NestLogs } from './telemetry/nest-logs.js';
import { PinoLogs } from './telemetry/pino-logs.js';
import { GatewayWsAdapter } from './websocket/gateway-ws.adapter.js';

/** Settings from the command line. */
export interface StartOverrides {
  readonly port?: number;
  readonly host?: string;
  /** Path of the settings file. */
  readonly config?: string;
  readonly store?: string;
}

/** Time after which a second signal ends the process, in milliseconds. */
const HURRY_MS = 1_500;
/** Time within which equal signals count as one, in milliseconds. */
const SAME_SIGNAL_MS = 100;

/**
 * Runs the gateway in this process until a signal stops it. Prints one line when it is ready.
 * @param options parts from a team's own start script, for example its modules
 * @throws SettingsError; Error with advice for the operator when the store cannot be opened or the port is in use
 */
export async function runGateway(
  overrides: StartOverrides = {},
  options: Omit<GatewayOptions, 'settings' | 'logs'> = {},
): Promise<void> {
  const { settings, modules } = await loadSettingsAndModules(
    overrides.config === undefined ? process.env : { ...process.env, OPENCLAW_CONFIG: overrides.config },
    { 'gateway.port': overrides.port, 'gateway.host': overrides.host, 'store.url': overrides.store },
    options.modules,
  );
  const logs = new PinoLogs();
  const root = GatewayModule.forRoot({ ...options, modules, settings, logs });
  const app = await NestFactory.create(root, createHttpAdapter(), {
    logger: new NestLogs(logs),
    abortOnError: false,
    forceCloseConnections: true,
  });
  for (const warning of settings.warnings) logs.for('config').warn({}, warning);
  app.useWebSocketAdapter(new GatewayWsAdapter(app));
  app.get(DocumentsService).describe(app);
  stopOnSignals(app, logs);
  // Opens the store, which has the settings changed at run time; all settings are known only after that.
  try {
    await app.init();
  } catch (error) {
    // What was opened would keep the process alive. That it cannot be closed is the lesser fault.
    await app.close().catch(() => {});
    throw error;
  }
  const config = app.get(ConfigStoreService);
  await listen(app, config.get('gateway.port'), config.get('gateway.host'));
  await app.get(StartStopService).whenReady;
  // A signal during the start: the stop is under way.
  if (!app.get(PhaseService).isDraining) await announce(app);
}

/** Stops the gateway at the first SIGTERM or SIGINT. A second one hurries the stop and soon exits the process. */
function stopOnSignals(app: INestApplication, logs: Logs): void {
  const startStop = app.get(StartStopService);
  let first: { readonly signal: string; readonly at: number } | undefined;
  const onSignal = (signal: string) => {
    if (first) {
      // A signal to the whole process group arrives twice if a launcher forwards it too.
      if (signal === first.signal && performance.now() - first.at < SAME_SIGNAL_MS) return;
      startStop.hurry();
      setTimeout(() => process.exit(1), HURRY_MS).unref();
      return;
    }
    first = { signal, at: performance.now() };
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
}

async function announce(app: INestApplication): Promise<void> {
  const url = await app.getUrl();
  process.stdout.write(`${describeStart(url, app.get(Store).label)}\n`);
  // Printed only to a terminal, because the code is a credential.
  if (process.stdout.isTTY) process.stdout.write(`${describeChat(url, await app.get(AuthService).issuePageCode())}\n`);
}

/** Listens on an address. @throws Error with advice for the operator if it is not available */
async function listen(app: INestApplication, port: number, host: string): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Error(
        `The port ${port} of ${host} is in use. Stop the program that uses it, or set gateway.port (0 picks a free one).`,
        { cause: error },
      );
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new Error(`The gateway cannot listen on ${host}:${port} (${code}). Set gateway.host and gateway.port.`, {
        cause: error,
      });
    }
    throw error;
  }
}

function describeStart(url: string, store: string): string {
  return `OpenClaw gateway ready at ${url} (pid ${process.pid}, store ${store})`;
}

/** Returns the line about the web chat. The code is in the fragment, which browsers do not send. */
function describeChat(url: string, code: string | undefined): string {
  return code === undefined
    ? `Web chat: ${url}/chat`
    : `Web chat: ${url}/chat#code=${code} (works once, within a minute)`;
}
