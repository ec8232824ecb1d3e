import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { MessageMappingProperties } from '@nestjs/websockets';
import type { WebSocketServer } from 'ws';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import { SUBPROTOCOL } from '../protocol/constants.js';
import { closeTable } from '../protocol/closes.js';
import type { SocketLine } from '../sockets/socket-connection.js';
import { SocketServer } from '../sockets/socket-server.js';
import type { Wire } from '../sockets/wire.js';
import { readConnectParameters } from './connect-parameters.js';
import { FrameDispatcher } from './frame-dispatcher.js';
import {
  checkGatewayClasses,
  installFrameFilter,
  listDirectHandlers,
  listGatewayClasses,
  watchHandleConnection,
} from './gateway-classes.js';
import { WebSocketConnection } from './websocket-connection.js';

/**
 * Serves `openclaw.v1` through classes decorated with `@WebSocketGateway(18789)`, on the HTTP server of the application
 * and its port. Nest's client is a {@link WebSocketConnection}: authenticated, and read in order.
 *
 * `app.useWebSocketAdapter(new GatewayWsAdapter(app))`, before `init` or `listen`.
 */
export class GatewayWsAdapter extends WsAdapter {
  private readonly sockets: SocketServer;
  private readonly config: ConfigStoreService;
  private readonly dispatcher: FrameDispatcher;
  /** Some class has `handleDisconnect`. */
  private readonly hasDisconnectHooks: boolean;
  private server: WebSocketServer | undefined;

  /** @throws Error when gateway classes of the application contradict each other or the protocol */
  constructor(app: INestApplication) {
    super(app);
    const find = <T>(token: abstract new (...args: never[]) => T): T => app.get<T>(token, { strict: false });
    this.sockets = find(SocketServer);
    this.config = find(ConfigStoreService);
    this.dispatcher = new FrameDispatcher(find(FrameTypeRegistry));
    const classes = listGatewayClasses(app);
    checkGatewayClasses(classes);
    this.hasDisconnectHooks = classes.some(({ instance }) => 'handleDisconnect' in instance);
    for (const gatewayClass of classes) {
      for (const [type, handler] of listDirectHandlers(gatewayClass)) this.dispatcher.addDirect(type, handler);
      installFrameFilter(gatewayClass);
      watchHandleConnection<WebSocketConnection>(gatewayClass, (connection, result) => connection.hold(result));
    }
  }

  /** Returns one server for all gateway classes. The ports of their decorators are ignored. */
  override create(): WebSocketServer {
    return (this.server ??= this.sockets.serve(this.describeWire()));
  }

  /** Called by Nest for each gateway class and connection. */
  override bindMessageHandlers(connection: WebSocketConnection, handlers: MessageMappingProperties[]): void {
    this.dispatcher.bind(connection, handlers);
  }

  /**
   * Calls back after the last frame has been handled, so that no handler runs after `handleDisconnect`. Called by Nest
   * for each gateway class and connection, whether or not a class has that hook.
   */
  override bindClientDisconnect(connection: WebSocketConnection, callback: () => void): void {
    if (this.hasDisconnectHooks) connection.addEndListener(callback);
  }

  override async close(): Promise<void> {
    await this.sockets.close();
  }

  private describeWire(): Wire {
    const { config } = this;
    return {
      path: '/',
      subprotocol: SUBPROTOCOL,
      get maxFrameBytes() {
        return config.get('gateway.max_frame_bytes');
      },
      closes: closeTable,
      readParameters: readConnectParameters,
      connect: (line: SocketLine, request) => {
        const connection = new WebSocketConnection(line, this.dispatcher);
        // Nest binds the handlers of all gateway classes and calls their `handleConnection`.
        this.server?.emit('connection', connection, request);
        return { connection, ready: connection.ready };
      },
    };
  }
}
