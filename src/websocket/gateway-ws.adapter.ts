import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpAdapterHost } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { WebSocketServer } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import { RefusalsService } from '../core/connections/refusals.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { RateLimitsService } from '../core/limits/rate-limits.service.js';
import { Logs } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import { SUBPROTOCOL } from '../protocol/constants.js';
import { closeTable } from '../protocol/closes.js';
import {
  checkGatewayClasses,
  installFrameFilter,
  listDirectHandlers,
  listGatewayClasses,
  watchHandleConnection,
} from './gateway-classes.js';
import { fromNest } from './frame-exception.filter.js';
import { GatewayWebSocket } from './gateway-websocket.js';
import { UpgradeGate, type UpgradePermit } from './upgrade-gate.js';
import { refuseUpgrade } from './upgrade-request.js';
import { CLOSE_TIMEOUT_MS, WebSocketConnection, type ConnectionServices } from './websocket-connection.js';

/** How long sockets that are left at the end may take to close, in milliseconds. */
const SHUTDOWN_PATIENCE_MS = 1_000;

/** Pieces into which a client may cut one message. */
const MAX_FRAGMENTS = 4_096;

/**
 * Connects classes decorated with `@WebSocketGateway(18789)` to the HTTP server of the application, on whatever port
 * that listens. What Nest calls the client is a {@link WebSocketConnection}: authenticated, and read in order.
 *
 * `app.useWebSocketAdapter(new GatewayWsAdapter(app))`, before `init` or `listen`.
 */
export class GatewayWsAdapter extends WsAdapter {
  private readonly gate: UpgradeGate;
  private readonly config: ConfigStoreService;
  private readonly services: ConnectionServices;
  private readonly httpServerOfApp: Server;
  private server: WebSocketServer | undefined;
  private readonly upgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    void this.upgrade(request, socket, head);

  /** @throws Error when gateway classes of the application contradict each other or the protocol */
  constructor(app: INestApplication) {
    super(app);
    const find = <T>(token: abstract new (...args: never[]) => T): T => app.get<T>(token, { strict: false });
    this.gate = new UpgradeGate(
      find(RequestRulesService),
      find(AuthService),
      find(RateLimitsService),
      find(PhaseService),
    );
    this.config = find(ConfigStoreService);
    this.services = {
      clock: find(Clock),
      log: find(Logs).for('gateway'),
      refusals: find(RefusalsService),
      frameTypes: find(FrameTypeRegistry),
      handlers: { direct: new Map(), places: new Map() },
      connections: find(ConnectionManagerService),
    };
    this.httpServerOfApp = find(HttpAdapterHost).httpAdapter.getHttpServer() as Server;
    const classes = listGatewayClasses(app);
    checkGatewayClasses(classes);
    for (const gatewayClass of classes) {
      for (const [type, handler] of listDirectHandlers(gatewayClass)) this.services.handlers.direct.set(type, handler);
      installFrameFilter(gatewayClass);
      watchHandleConnection<WebSocketConnection>(gatewayClass, (connection, result) => this.hold(connection, result));
    }
  }

  /** One server for all gateway classes, whatever port their decorators name. */
  override create(): WebSocketServer {
    if (this.server) return this.server;
    this.server = new WebSocketServer({
      noServer: true,
      WebSocket: GatewayWebSocket,
      maxPayload: this.config.get('gateway.max_frame_bytes'),
      maxFragments: MAX_FRAGMENTS,
      perMessageDeflate: false,
      handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.httpServerOfApp.on('upgrade', this.upgradeListener);
    return this.server;
  }

  /** Nest calls it for each gateway class and connection. */
  override bindMessageHandlers(connection: WebSocketConnection, handlers: MessageMappingProperties[]): void {
    connection.dispatcher.bind(handlers);
  }

  /** The end is told after the last frame has been handled, so that no handler meets a connection that was cleared away. */
  override bindClientDisconnect(connection: WebSocketConnection, callback: () => void): void {
    connection.addEndListener(callback);
  }

  /** Refuses new connections and closes those that are left. */
  override async close(server: WebSocketServer): Promise<void> {
    this.httpServerOfApp.off('upgrade', this.upgradeListener);
    const clients = [...server.clients];
    const closed = Promise.all(clients.map((client) => new Promise((resolve) => client.once('close', resolve))));
    for (const client of clients) client.close(closeTable.restarting.code, closeTable.restarting.reason);
    const giveUp = setTimeout(() => clients.forEach((client) => client.terminate()), SHUTDOWN_PATIENCE_MS);
    await closed;
    clearTimeout(giveUp);
    server.close();
  }

  private async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // Until ws takes the socket over nothing else listens, and an unheard error would end the process.
    const ignoreError = () => {};
    stream.on('error', ignoreError);
    const decision = await this.gate.decide(request);
    stream.off('error', ignoreError);
    if ('status' in decision) return refuseUpgrade(stream, decision);
    if (stream.destroyed) return decision.release();
    stream.once('close', decision.release);
    this.server?.handleUpgrade(request, stream, head, (socket) =>
      this.admit(socket as GatewayWebSocket, stream, decision, request),
    );
  }

  private admit(
    socket: GatewayWebSocket,
    stream: Duplex,
    { principal, parameters }: UpgradePermit,
    request: IncomingMessage,
  ): void {
    if (!principal) return this.turnAway(socket);
    const identity = {
      ...parameters,
      id: randomUUID(),
      principal,
      clientId: parameters.clientId ?? `c-${randomUUID()}`,
    };
    const connection = new WebSocketConnection(identity, socket, stream, this.services);
    this.server?.emit('connection', connection, request);
    void connection.dispatcher.start(() => this.services.connections.register(connection));
  }

  /** The upgrade of a stranger went ahead only so that a browser can see why it ends. */
  private turnAway(socket: GatewayWebSocket): void {
    socket.on('error', () => socket.terminate());
    socket.close(closeTable.unauthorized.code, closeTable.unauthorized.reason);
    this.services.clock.setTimer(CLOSE_TIMEOUT_MS, () => socket.terminate());
  }

  private hold(connection: WebSocketConnection, result: Promise<void>): void {
    const ready = result.catch((error: unknown) => {
      connection.refuse(fromNest(error));
      connection.close('goingAway');
    });
    connection.dispatcher.hold(ready);
  }
}
