// Promises: drivers of channels in a process of their own. Refuses to know: what a reply is; the gateway decides that.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import 'reflect-metadata';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { DEFAULT_ACCOUNT } from './core/channels/account-settings.js';
import { DriverMetadata, type DriverDescription } from './core/channels/channel-driver.decorator.js';
import { ChannelGateway } from './core/channels/channel-gateway.js';
import { ChannelManagerService } from './core/channels/channel-manager.service.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import { loadSections, readInput, type LoadedSettings } from './core/config/load-settings.js';
import { listClasses } from './core/config/module-parts.js';
import { SettingsError } from './core/config/section.js';
import { SettingsSchema } from './core/config/settings-schema.js';
import { findSections } from './core/config/use-settings.js';
import { SettledRowsService } from './driver/settled-rows.service.js';
import { driverSettings } from './driver/driver.settings.js';
import { WireGateway } from './driver/wire-gateway.js';
import { ProcessGuardService } from './core/lifecycle/process-guard.service.js';
import { StartStopService } from './core/lifecycle/start-stop.service.js';
import { StoreSteps } from './core/lifecycle/store-steps.js';
import { PhaseService } from './core/phase/phase.service.js';
import { ReplicaIdentity } from './core/replicas/replica-identity.js';
import { Logs } from './core/telemetry/logs.js';
import { Metrics, NoMetrics } from './core/telemetry/metrics.js';
import { NoTracing, Tracing } from './core/telemetry/tracing.js';
import { Clock, SystemClock } from './core/time/clock.js';
import type { NestModules } from './load-team-modules.js';
import { getStoreEngine } from './stores/store-engines.js';
import { logSettings } from './telemetry/log.settings.js';
import { NestLogs } from './telemetry/nest-logs.js';
import { PinoLogs } from './telemetry/pino-logs.js';

export { DiscordModule } from './channels/discord/discord.module.js';
export { SlackModule } from './channels/slack/slack.module.js';
export { TelegramModule } from './channels/telegram/telegram.module.js';

/** Options of {@link runDriver}. */
export interface DriverProcessOptions {
  /** Nest modules with classes that have `@ChannelDriver`, for example `TelegramModule`. */
  readonly modules: NestModules;
  /** Settings by dotted key; they take precedence over `config.yaml` and the environment. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The folder of `config.yaml` and `.env`; the working directory by default. */
  readonly folder?: string;
  readonly clock?: Clock;
  readonly logs?: Logs;
  /** The engine for metrics; none by default. */
  readonly metrics?: Metrics;
}

/** A process that runs drivers. */
export interface DriverProcess {
  /** The channels that are configured: their states, pairing codes, dead letters, test messages. */
  readonly channels: ChannelManagerService;
  /** Delivers what was answered, for some seconds, and disconnects from the platforms and the gateway. */
  stop(): Promise<void>;
}

/**
 * Runs the drivers of `modules` as clients of a gateway in another process (`driver.gateway_url`, `driver.token`), with a
 * store of their own. It is the same code as in the gateway: what platforms hand over is stored here before it is confirmed,
 * and replies are read from the cursors that the gateway keeps. While the gateway is away no driver is connected: its
 * platform keeps what people write, or the driver reads it afterwards. An account to which its platform delivers over HTTP is
 * refused: it needs a driver in the gateway.
 * @throws SettingsError with every fault; Error when the store cannot be opened
 */
export async function runDriver(options: DriverProcessOptions): Promise<DriverProcess> {
  const { modules, settings: overrides = {}, folder = process.cwd(), logs = new PinoLogs() } = options;
  const schema = new SettingsSchema([driverSettings, logSettings, ...findSections(modules)]);
  const settings = loadSections(schema, readInput(process.env, overrides, folder));
  const config = new ConfigStoreService(settings, logs);
  refuseDeliveries(modules, config);
  const root = DriverProcessModule.with(settings, config, { ...options, logs });
  const context = await NestFactory.createApplicationContext(root, {
    logger: new NestLogs(logs),
    abortOnError: false,
  });
  await context.get(StartStopService).becomeReady();
  await context.get(StartStopService).whenReady;
  return { channels: context.get(ChannelManagerService), stop: () => context.close() };
}

@Global()
@Module({})
class DriverProcessModule {
  static with(
    settings: LoadedSettings,
    config: ConfigStoreService,
    { modules, metrics, logs, ...options }: DriverProcessOptions & { readonly logs: Logs },
  ): DynamicModule {
    if (logs instanceof PinoLogs) logs.follow(config);
    const clock = options.clock ?? new SystemClock();
    const { 'driver.gateway_url': url, 'driver.token': token } = settings.values as unknown as DriverValues;
    const engine = getStoreEngine(config.get('store.url'));
    const shared = [
      { provide: Clock, useValue: clock },
      { provide: Logs, useValue: logs },
      { provide: Metrics, useValue: metrics ?? new NoMetrics() },
      { provide: Tracing, useValue: new NoTracing() },
      { provide: ConfigStoreService, useValue: config },
      { provide: ReplicaIdentity, useValue: new ReplicaIdentity() },
      { provide: ChannelGateway, useValue: new WireGateway({ url, token }, clock, logs.for('channels')) },
    ];
    return {
      module: DriverProcessModule,
      imports: [DiscoveryModule, engine.loadModule().then((module) => ({ module })), ...modules],
      providers: [
        ...shared,
        PhaseService,
        ProcessGuardService,
        StartStopService,
        StoreSteps,
        ChannelManagerService,
        SettledRowsService,
      ],
      exports: shared,
    };
  }
}

/** @throws SettingsError for accounts to which their platform delivers over HTTP: nothing here listens */
function refuseDeliveries(modules: NestModules, config: ConfigStoreService): void {
  const faults = listClasses(modules).flatMap((type) => {
    const driver = Reflect.getMetadata(DriverMetadata.KEY, type) as DriverDescription | undefined;
    if (!driver) return [];
    const { name, settings } = driver;
    const delivered = settings
      .listAccounts(config)
      .filter((account) => settings.isDeliveredTo(settings.read(config, account).own));
    return delivered.map((account) => ({
      key: account === DEFAULT_ACCOUNT ? `channels.${name}` : `channels.${name}.accounts.${account}`,
      message: DELIVERED,
    }));
  });
  if (faults.length > 0) throw new SettingsError(faults);
}

const DELIVERED =
  'its platform delivers over HTTP, which only a gateway takes: configure it in the gateway and not here, or in the mode in ' +
  'which the driver connects (Slack: app_token; Telegram: no webhook_url)';

interface DriverValues {
  readonly 'driver.gateway_url': string;
  readonly 'driver.token': string | undefined;
}
