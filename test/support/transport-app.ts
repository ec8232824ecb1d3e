import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { AuthModule, LocalToken, Whois } from '../../src/auth/index.js';
import { Broker } from '../../src/core/broker/broker.js';
import { InProcessBroker } from '../../src/core/broker/in-process-broker.js';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { findLocalTokenPlace, loadSettings } from '../../src/settings.js';
import type { Connection } from '../../src/core/connections/connection.js';
import { ConnectionManagerService } from '../../src/core/connections/connection-manager.service.js';
import { CredentialEndsService } from '../../src/core/connections/credential-ends.service.js';
import { LiveCredentialsService } from '../../src/core/identity/live-credentials.service.js';
import { SlowReadersService } from '../../src/core/delivery/slow-readers.service.js';
import { RefusalsService } from '../../src/core/connections/refusals.service.js';
import { DeliveryService } from '../../src/core/delivery/delivery.service.js';
import { FrameTypeRegistry } from '../../src/core/connections/frame-type.registry.js';
import { StartStopService } from '../../src/core/lifecycle/start-stop.service.js';
import { ReachService } from '../../src/core/reach/reach.service.js';
import { PhaseService } from '../../src/core/phase/phase.service.js';
import { AuditStore, CredentialStore, NodeStore } from '../../src/core/store/index.js';
import { MemoryBudgetService } from '../../src/core/limits/memory-budget.service.js';
import { RateLimitsService } from '../../src/core/limits/rate-limits.service.js';
import { Logs, SilentLogs } from '../../src/core/telemetry/logs.js';
import { Metrics, NoMetrics } from '../../src/core/telemetry/metrics.js';
import { Clock, SystemClock } from '../../src/core/time/clock.js';
import { createHttpAdapter, HttpModule, type HttpLimits } from '../../src/http/index.js';
import { encodeFrame } from '../../src/protocol/encode.js';
import type { InboundEnvelope, MessageInPayload } from '../../src/protocol/index.js';
import { SocketsModule } from '../../src/sockets/sockets.module.js';
import { GatewayWsAdapter } from '../../src/websocket/gateway-ws.adapter.js';
import type { WebSocketConnection } from '../../src/websocket/websocket-connection.js';

/** Answers `message_in` with its content and `ping` with `pong`: a minimal gateway for tests of the transport. */
@WebSocketGateway(18789)
export class EchoGateway implements OnGatewayConnection<Connection> {
  constructor(private readonly limits: RateLimitsService) {}

  handleConnection(connection: Connection): void {
    const { clientId, principal } = connection;
    connection.send({
      kind: 'extension',
      type: 'acme.connected',
      payload: { client_id: clientId, role: principal.role },
    });
  }

  @SubscribeMessage('message_in')
  handleMessage(connection: Connection, envelope: InboundEnvelope): void {
    const { sender, content } = envelope.payload as MessageInPayload;
    this.limits.takeMessage(connection.principal, sender);
    connection.send({ kind: 'extension', type: 'acme.echo', payload: { content }, requestId: envelope.id });
  }

  @SubscribeMessage('ping')
  ping(connection: WebSocketConnection, envelope: InboundEnvelope): void {
    connection.sendFrame(encodeFrame('pong', {}, { correlationId: envelope.id }));
  }
}

export interface TransportOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
  readonly logs?: Logs;
  readonly gateways?: readonly Type[];
  readonly controllers?: readonly Type[];
  readonly limits?: Partial<HttpLimits>;
}

export interface TransportApp {
  readonly app: INestApplication;
  readonly port: number;
  close(): Promise<void>;
}

@Global()
@Module({})
class FoundationModule {
  static with(options: TransportOptions): DynamicModule {
    const logs = options.logs ?? new SilentLogs();
    const settings = loadSettings({}, { 'gateway.port': 0, ...options.settings }, '/nonexistent');
    const clock = options.clock ?? new SystemClock();
    const providers = [
      { provide: Clock, useValue: clock },
      { provide: Logs, useValue: logs },
      { provide: Metrics, useValue: new NoMetrics() },
      { provide: Broker, useValue: new InProcessBroker(clock, logs) },
      { provide: ConfigStoreService, useValue: new ConfigStoreService(settings, logs) },
      { provide: LocalToken, useValue: new LocalToken(() => findLocalTokenPlace(settings.values['store.url'])) },
      PhaseService,
      ReachService,
      MemoryBudgetService,
      RateLimitsService,
      SlowReadersService,
      // Nothing is read: there is no log.
      { provide: DeliveryService, useValue: { removeReader: () => {} } },
      // Nor are there nodes, nor an audit trail.
      { provide: NodeStore, useValue: {} },
      { provide: CredentialStore, useValue: {} },
      LiveCredentialsService,
      CredentialEndsService,
      { provide: Whois, useValue: { find: async () => undefined } },
      { provide: AuditStore, useValue: { recordAudit: async () => {} } },
      ConnectionManagerService,
      FrameTypeRegistry,
      StartStopService,
      RefusalsService,
    ];
    return { module: FoundationModule, imports: [DiscoveryModule], providers, exports: providers };
  }
}

@Module({})
class TransportModule {
  static with(options: TransportOptions): DynamicModule {
    return {
      module: TransportModule,
      imports: [FoundationModule.with(options), HttpModule, AuthModule, SocketsModule],
      providers: [...(options.gateways ?? [EchoGateway])],
      controllers: [...(options.controllers ?? [])],
    };
  }
}

/** Starts a small application on the real transport: server, rules, authentication and adapter, with a gateway class that echoes. */
export async function startTransport(options: TransportOptions = {}): Promise<TransportApp> {
  const adapter = createHttpAdapter(options.limits);
  const app = await NestFactory.create(TransportModule.with(options), adapter, { logger: false, abortOnError: false });
  app.useWebSocketAdapter(new GatewayWsAdapter(app));
  const host = app.get(ConfigStoreService).get('gateway.host');
  await app.listen(0, host);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, port, close: () => app.close() };
}
