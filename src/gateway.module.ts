// Promises: the whole gateway as one Nest module. Refuses to know: how a process is started.
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AdminModule } from './admin/admin.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { LocalToken } from './auth/index.js';
import { DiscordModule } from './channels/discord/discord.module.js';
import { SlackModule } from './channels/slack/slack.module.js';
import { TelegramModule } from './channels/telegram/telegram.module.js';
import { WebchatModule } from './channels/webchat/webchat.module.js';
import { WhatsappModule } from './channels/whatsapp/whatsapp.module.js';
import { Broker } from './core/broker/broker.js';
import { InProcessBroker } from './core/broker/in-process-broker.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import type { LoadedSettings } from './core/config/load-settings.js';
import { createSettingsTree } from './core/config/settings-tree.js';
import { findSections } from './core/config/use-settings.js';
import { CoreModule } from './core/core.module.js';
import { ReachService } from './core/reach/reach.service.js';
import { ReplicaIdentity } from './core/replicas/replica-identity.js';
import { LogRing } from './core/telemetry/log-ring.js';
import { Logs } from './core/telemetry/logs.js';
import { Metrics, NoMetrics } from './core/telemetry/metrics.js';
import { NoTracing, Tracing } from './core/telemetry/tracing.js';
import { Clock, SystemClock } from './core/time/clock.js';
import { HealthModule } from './health/health.module.js';
import { DocumentsModule } from './http/documents/documents.module.js';
import { McpModule } from './mcp/mcp.module.js';
import type { NestModules } from './load-team-modules.js';
import { MediaModule } from './media/media.module.js';
import { findLocalTokenPlace, findTailscaleSocket, loadSettings } from './settings.js';
import { findStoreFolder } from './stores/store-engines.js';
import { StoresModule } from './stores/stores.module.js';
import { TailscaleModule } from './tailscale/tailscale.module.js';
import { PinoLogs } from './telemetry/pino-logs.js';
import { PrometheusMetrics } from './telemetry/prometheus-metrics.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { TraceExport } from './telemetry/traces/trace-export.js';
import { TraceExportService } from './telemetry/traces/trace-export.service.js';
import { BrowserFolder } from './tools/browser/process/browser-folder.js';
import { ToolsModule } from './tools/tools.module.js';
import { WebSocketModule } from './websocket/websocket.module.js';

/** Parts that a process, a test or a team's application can provide. */
export interface GatewayOptions {
  /** The result of `loadSettings` with the same `modules`; by default loaded from the file and the environment. */
  readonly settings?: LoadedSettings;
  readonly clock?: Clock;
  readonly logs?: Logs;
  /** The engine for metrics, in place of the one that `/metrics` serves. */
  readonly metrics?: Metrics;
  /** The engine for traces, in place of the export that `telemetry.traces.endpoint` turns on. */
  readonly tracing?: Tracing;
  /** Connects the replicas of one gateway; needed only if there are several. */
  readonly broker?: Broker;
  /** A global module that provides AgentRuntime, in place of the built-in agent and of models. */
  readonly agent?: Type | DynamicModule;
  /** A global module that provides the ports of `core/store`, in place of the engine that `store.url` selects. */
  readonly store?: Type | DynamicModule;
  /** A global module that provides BlobStore, in place of the local folder; may be the same as `store`. */
  readonly blobs?: Type | DynamicModule;
  /** Modules of a team, with their own tools, frame types and settings. */
  readonly modules?: NestModules;
}

@Module({})
export class GatewayModule {
  /**
   * Returns the gateway as a module, to import into an application or to start as one.
   * @throws SettingsError with every fault; Error when `settings` was loaded without `modules`
   */
  static forRoot(options: GatewayOptions = {}): DynamicModule {
    const { modules = [], logs = new PinoLogs() } = options;
    const settings = options.settings ?? loadSettings(process.env, {}, process.cwd(), modules);
    if (!findSections(modules).every((section) => settings.schema.has(section)))
      throw new Error('The settings were loaded without those of the modules: pass the modules to loadSettings too');
    const config = new ConfigStoreService(settings, logs);
    if (logs instanceof PinoLogs) logs.follow(config);
    return {
      module: GatewayModule,
      imports: [
        // Current settings for `ConfigService` in a team's modules. Only `validate` can pass an object that is read at
        // each access instead of being copied.
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          validatePredefined: false,
          skipProcessEnv: true,
          validate: () => createSettingsTree(settings.schema, (key) => config.get(key)),
        }),
        FoundationModule.with(config, logs, options),
        StoresModule.for(config.get('store.url'), options.store, options.blobs),
        options.agent ?? AgentsModule,
        CoreModule,
        ToolsModule,
        McpModule,
        WebSocketModule,
        TailscaleModule.listeningAt(
          () => config.get('gateway.tailscale_listen') ?? findTailscaleSocket(config.get('store.url')),
        ),
        HealthModule.watching(() => findStoreFolder(config.get('store.url'))),
        TelemetryModule,
        DocumentsModule,
        WebchatModule,
        SlackModule,
        TelegramModule,
        WhatsappModule,
        DiscordModule,
        AdminModule,
        MediaModule,
        ...modules,
      ],
    };
  }
}

/** Providers that every module can inject: time, settings, logs, metrics, broker, id and local token of this process,
 * folder of the browser. */
@Module({})
class FoundationModule {
  static with(config: ConfigStoreService, logs: Logs, options: GatewayOptions): DynamicModule {
    const clock = options.clock ?? new SystemClock();
    const localToken = new LocalToken(() => findLocalTokenPlace(config.get('store.url')));
    if (logs instanceof PinoLogs) logs.hide(localToken.value);
    const replica = new ReplicaIdentity();
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Logs, useValue: logs },
      { provide: LogRing, useValue: logs instanceof PinoLogs ? logs.ring : new LogRing() },
      { provide: Metrics, useValue: options.metrics ?? createMetrics(config) },
      {
        provide: TraceExportService,
        useFactory: () => new TraceExportService(createExport(options, { config, clock, logs, replica })),
      },
      {
        provide: Tracing,
        useFactory: ({ tracing }: TraceExportService) => options.tracing ?? tracing ?? new NoTracing(),
        inject: [TraceExportService],
      },
      { provide: Broker, useValue: options.broker ?? new InProcessBroker(clock, logs) },
      { provide: ConfigStoreService, useValue: config },
      { provide: LocalToken, useValue: localToken },
      { provide: ReachService, useValue: new ReachService(config) },
      { provide: BrowserFolder, useValue: new BrowserFolder(() => findStoreFolder(config.get('store.url'))) },
      { provide: ReplicaIdentity, useValue: replica },
    ];
    return { module: FoundationModule, global: true, providers, exports: providers };
  }
}

function createMetrics(config: ConfigStoreService): Metrics {
  return config.get('telemetry.metrics') ? new PrometheusMetrics() : new NoMetrics();
}

function createExport(
  { tracing }: GatewayOptions,
  { config, clock, logs, replica }: StartedParts,
): TraceExport | undefined {
  const endpoint = config.get('telemetry.traces.endpoint');
  if (endpoint === undefined || tracing) return undefined;
  return new TraceExport(endpoint, { config, clock, log: logs.for('gateway'), instance: replica.id });
}

interface StartedParts {
  readonly config: ConfigStoreService;
  readonly clock: Clock;
  readonly logs: Logs;
  readonly replica: ReplicaIdentity;
}
