// Promises: the whole gateway as one Nest module. Refuses to know: how a process is started.
import { Module, type DynamicModule, type ModuleMetadata, type Type } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AdminModule } from './admin/admin.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { WebchatModule } from './channels/webchat/webchat.module.js';
import { Broker } from './core/broker/broker.js';
import { InProcessBroker } from './core/broker/in-process-broker.js';
import { ConfigStoreService } from './core/config/config-store.service.js';
import { loadSettings, type LoadedSettings } from './core/config/load-settings.js';
import { CoreModule } from './core/core.module.js';
import { ReplicaIdentity } from './core/replicas/replica-identity.js';
import { Logs } from './core/telemetry/logs.js';
import { Metrics, NoMetrics } from './core/telemetry/metrics.js';
import { Clock, SystemClock } from './core/time/clock.js';
import { HealthModule } from './health/health.module.js';
import { DocumentsModule } from './http/documents.module.js';
import { McpModule } from './mcp/mcp.module.js';
import { MediaModule } from './media/media.module.js';
import { StoresModule } from './stores/stores.module.js';
import { PinoLogs } from './telemetry/pino-logs.js';
import { ToolsModule } from './tools/tools.module.js';
import { WebSocketModule } from './websocket/websocket.module.js';

/** What a process, a test or a team's application may bring of its own. */
export interface GatewayOptions {
  /** Settings that were loaded already; otherwise they are read from the file and the environment. */
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
  /** Modules of a team, with tools and frame types of their own. */
  readonly modules?: NonNullable<ModuleMetadata['imports']>;
}

@Module({})
export class GatewayModule {
  /** The gateway, to be imported by the root module of an application or to be one. */
  static forRoot(options: GatewayOptions = {}): DynamicModule {
    const settings = options.settings ?? loadSettings(process.env);
    return {
      module: GatewayModule,
      imports: [
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          ignoreEnvVars: true,
          load: [() => settings.settings],
        }),
        FoundationModule.with(settings, options),
        StoresModule.for(settings.settings.store.url, options.store),
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
        ...(options.modules ?? []),
      ],
    };
  }
}

/** What everybody stands on: time, settings, logs, the name of this process. */
@Module({})
class FoundationModule {
  static with(settings: LoadedSettings, options: GatewayOptions): DynamicModule {
    const logs = options.logs ?? new PinoLogs();
    const config = new ConfigStoreService(settings, logs);
    if (logs instanceof PinoLogs) logs.follow(config);
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
