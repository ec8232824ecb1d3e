import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { WebSocketServer } from 'ws';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { RefusalsService } from '../core/connections/refusals.service.js';
import { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { Logs } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { releaseNothing } from '../http/http-traffic.service.js';
import { GatewayWebSocket } from './gateway-websocket.js';
import { CLOSE_TIMEOUT_MS, type ConnectionServices } from './socket-connection.js';
import { UpgradeGate, type UpgradePermit } from './upgrade-gate.js';
import { pathOf, refuseUpgrade, type UpgradeRefusal } from './upgrade-request.js';
import type { Wire } from './wire.js';

/** Time for the remaining sockets to close at shutdown, in milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 1_000;

/** Maximum number of fragments of one message, and of the chunks in which the network delivers it. */
const MAX_FRAGMENTS = 4_096;

interface ServedWire {
  readonly wire: Wire;
  readonly server: WebSocketServer;
}

/** Serves the WebSockets of all wires on the HTTP server of the application. The path of an upgrade selects the wire. */
@Injectable()
export class SocketServer {
  private readonly served = new Map<string, ServedWire>();
  private readonly services: ConnectionServices;
  private readonly onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) =>
    void this.upgrade(request, stream, head).catch((error: unknown) => this.fail(stream, error));

  // oxlint-disable-next-line max-params -- a connection uses all of them
  constructor(
    private readonly gate: UpgradeGate,
    private readonly http: HttpAdapterHost,
    connections: ConnectionManagerService,
    refusals: RefusalsService,
    budget: MemoryBudgetService,
    clock: Clock,
    logs: Logs,
  ) {
    this.services = { clock, log: logs.for('gateway'), refusals, connections, budget };
  }

  /**
   * Starts to serve a wire. Returns the server of its sockets.
   * @throws Error when another wire has the same path
   */
  serve(wire: Wire): WebSocketServer {
    const { path, subprotocol } = wire;
    if (this.served.has(path)) throw new Error(`two wires want the path ${path}`);
    const server = new WebSocketServer({
      noServer: true,
      WebSocket: GatewayWebSocket,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_FRAGMENTS,
      perMessageDeflate: false,
      handleProtocols: (offered) => (subprotocol !== undefined && offered.has(subprotocol) ? subprotocol : false),
    });
    if (this.served.size === 0) this.httpServer.on('upgrade', this.onUpgrade);
    this.served.set(path, { wire, server });
    return server;
  }

  /** Stops accepting upgrades and closes the remaining sockets. */
  async close(): Promise<void> {
    this.httpServer.off('upgrade', this.onUpgrade);
    const served = [...this.served.values()];
    this.served.clear();
    const clients = served.flatMap(({ wire, server }) => {
      const { code, reason } = wire.closes.restarting;
      return [...server.clients].map((client) => ({ client, code, reason }));
    });
    const closed = clients.map(({ client }) => new Promise((resolve) => client.once('close', resolve)));
    for (const { client, code, reason } of clients) client.close(code, reason);
    const giveUp = setTimeout(() => clients.forEach(({ client }) => client.terminate()), SHUTDOWN_TIMEOUT_MS);
    await Promise.all(closed);
    clearTimeout(giveUp);
    for (const { server } of served) server.close();
  }

  private get httpServer(): Server {
    return this.http.httpAdapter.getHttpServer() as Server;
  }

  private async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const served = this.served.get(pathOf(request.url ?? ''));
    if (!served) return refuseUpgrade(stream, this.refusePath());
    // There is no other listener until ws owns the socket, and an unhandled error would end the process.
    const ignoreError = () => {};
    stream.on('error', ignoreError);
    const decision = await this.gate.decide(request, served.wire);
    stream.off('error', ignoreError);
    if ('status' in decision) return refuseUpgrade(stream, decision);
    if (stream.destroyed) return decision.release();
    // A listener costs memory in each connection, and so does the wrapper of `once`; a stream closes once.
    if (decision.release !== releaseNothing) stream.on('close', decision.release);
    // Not when the wire is served: settings that were changed at run time are in force later only.
    served.server.options.maxPayload = served.wire.maxFrameBytes;
    served.server.handleUpgrade(request, stream, head, (socket) =>
      this.admit(served, socket as GatewayWebSocket, stream, decision, request),
    );
  }

  /** A fault of the gateway or of a wire costs one connection, not the process. */
  private fail(stream: Duplex, error: unknown): void {
    this.services.log.error({ error }, 'an upgrade failed');
    refuseUpgrade(stream, { status: 500, reason: 'The upgrade failed' });
  }

  private refusePath(): UpgradeRefusal {
    return { status: 404, reason: `WebSocket connections are served at ${[...this.served.keys()].join(' and ')} only` };
  }

  private admit(
    { wire }: ServedWire,
    socket: GatewayWebSocket,
    stream: Duplex,
    { principal, parameters, close = 'unauthorized', publicReason }: UpgradePermit,
    request: IncomingMessage,
  ): void {
    if (!principal) return this.turnAway(socket, wire.closes[close], publicReason);
    const clientId = principal.clientId ?? parameters.clientId ?? `c-${randomUUID()}`;
    const { services } = this;
    const { closes } = wire;
    const line = {
      id: randomUUID(),
      principal,
      parameters: { ...parameters, clientId },
      socket,
      stream,
      closes,
      services,
    };
    const { connection, ready } = wire.connect(line, request);
    if (ready) void ready.then(() => connection.start());
    else connection.start();
  }

  /** Closes the socket of an unauthenticated peer, whose upgrade was accepted so that a browser sees the close code. */
  private turnAway(socket: GatewayWebSocket, { code, reason }: { code: number; reason: string }, shown = reason): void {
    socket.on('error', () => socket.terminate());
    socket.close(code, shown);
    this.services.clock.setTimer(CLOSE_TIMEOUT_MS, () => socket.terminate());
  }
}
