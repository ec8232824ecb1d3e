// Promises: the whole gateway as one Nest module. Refuses to know: how a process is started.
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AdminModule } from './admin/admin.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { WebchatModule } from './channels/webchat/webchat.module.js';
import { Broker } from './core/broker/broker.js';
import { InProcessBroker } from './core/broker/in-process-broker.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import type { LoadedSettings } from './core/config/load-settings.js';
import { createSettingsTree } from './core/config/settings-tree.js';
import { findSections } from './core/config/use-settings.js';
import { CoreModule } from './core/core.module.js';
import { ReplicaIdentity } from './core/replicas/replica-identity.js';
import { Logs } from './core/telemetry/logs.js';
import { Metrics, NoMetrics } from './core/telemetry/metrics.js';
import { Clock, SystemClock } from './core/time/clock.js';
import { HealthModule } from './health/health.module.js';
import { DocumentsModule } from './http/documents.module.js';
import { McpModule } from './mcp/mcp.module.js';
import type { NestModules } from './load-team-modules.js';
import { MediaModule } from './media/media.module.js';
import { loadSettings } from './settings.js';
import { StoresModule } from './stores/stores.module.js';
import { PinoLogs } from './telemetry/pino-logs.js';
import { ToolsModule } from './tools/tools.module.js';
import { WebSocketModule } from './websocket/websocket.module.js';

/** Parts that a process, a test or a team's application can provide itself. */
export interface GatewayOptions {
  /** Loaded with `loadSettings`, which takes `modules` too; by default from the file and the environment. */
  readonly settings?: LoadedSettings;
  readonly clock?: Clock;
  readonly logs?: Logs;
  /** Where the gateway counts what it does; nowhere when missing. */
  readonly metrics?: Metrics;
  /** What joins the replicas of one gateway; needed only where there are several. */
  readonly broker?: Broker;
  /** A global module that provides AgentRuntime, in place of the built-in agent and of models. */
  readonly agent?: Type | DynamicModule;
  /** A global module that provides the ports of `core/store`, in place of the engine that `store.url` names. */
  readonly store?: Type | DynamicModule;
  /** Modules of a team, with tools, frame types and settings of their own. */
  readonly modules?: NestModules;
}

@Module({})
export class GatewayModule {
  /**
   * The gateway, to be imported by the root module of an application or to be one.
   * @throws SettingsError with every fault; Error when `settings` were loaded without the settings of `modules`
   */
  static forRoot(options: GatewayOptions = {}): DynamicModule {
    const { modules = [], logs = new PinoLogs() } = options;
    const settings = options.settings ?? loadSettings(process.env, {}, process.cwd(), modules);
    if (!findSections(modules).every((section) => settings.schema.has(section)))
      throw new Error('The settings were loaded without those of the modules: give the modules to loadSettings too');
    const config = new ConfigStoreService(settings, logs);
    if (logs instanceof PinoLogs) logs.follow(config);
    return {
      module: GatewayModule,
      imports: [
        // The settings in force for `ConfigService` of a team's modules. `validate` is the one way to hand over an object
        // that is read at each access instead of being copied.
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          validatePredefined: false,
          skipProcessEnv: true,
          validate: () => createSettingsTree(settings.schema, (key) => config.get(key)),
        }),
        FoundationModule.with(config, logs, options),
        StoresModule.for(config.get('store.url'), options.store),
        options.agent ?? AgentsModule,
        CoreModule,
        ToolsModule,
        McpModule,
        WebSocketModule,
        HealthModule,
        DocumentsModule,
        WebchatModule,
        AdminModule,
        MediaModule,
        ...modules,
      ],
    };
  }
}

/** What every module can inject: time, settings, logs, the name of this process. */
@Module({})
class FoundationModule {
  static with(config: ConfigStoreService, logs: Logs, options: GatewayOptions): DynamicModule {
    const clock = options.clock ?? new SystemClock();
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Logs, useValue: logs },
      { provide: Metrics, useValue: options.metrics ?? new NoMetrics() },
      { provide: Broker, useValue: options.broker ?? new InProcessBroker(clock, logs) },
      { provide: ConfigStoreService, useValue: config },
      { provide: ReplicaIdentity, useValue: new ReplicaIdentity() },
    ];
    return { module: FoundationModule, global: true, providers, exports: providers };
  }
}
