import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthService, LocalToken } from '../../src/auth/index.js';
import { StartStopService } from '../../src/core/lifecycle/start-stop.service.js';
import { loadSettings } from '../../src/settings.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { GatewayModule, type GatewayOptions } from '../../src/gateway.module.js';
import { createHttpAdapter } from '../../src/http/index.js';
import { GatewayWsAdapter } from '../../src/websocket/gateway-ws.adapter.js';
import { FrameClient } from './frame-client.js';

/** Tokens for {@link withTokens}, by principal. */
export const TOKENS = {
  owner: 'owner-token-0123456789abc',
  operator: 'operator-token-0123456789',
  driver: 'driver-token-0123456789ab',
  alice: 'alice-token-0123456789abc',
  bob: 'bob-token-0123456789abcde',
  reader: 'reader-token-0123456789ab',
  stranger: 'stranger-token-0123456789',
} as const;

/** Settings with one principal of each kind: an operator of all tenants, one of the default tenant, a driver bound to `test`, two users, a reader, another tenant's operator. */
export const withTokens: Readonly<Record<string, unknown>> = {
  'auth.tokens': [
    { token: TOKENS.owner, principal: 'owner', role: 'operator', tenant: '*' },
    { token: TOKENS.operator, principal: 'operator', role: 'operator' },
    { token: TOKENS.driver, principal: 'driver', role: 'channel', channels: ['test'] },
    { token: TOKENS.alice, principal: 'alice', role: 'user', channels: ['test'] },
    { token: TOKENS.bob, principal: 'bob', role: 'user', channels: ['test'] },
    { token: TOKENS.reader, principal: 'reader', role: 'operator', scopes: ['sessions:read'] },
    { token: TOKENS.stranger, principal: 'stranger', role: 'operator', tenant: 'acme' },
  ],
};

export interface GatewayAppOptions extends Omit<GatewayOptions, 'settings'> {
  /** Settings by dotted key. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** 0, the default, for a free one. */
  readonly port?: number;
}

/** The whole gateway in this process, on a free port and with a store in memory. */
export class GatewayApp {
  private readonly clients: FrameClient[] = [];

  private constructor(
    readonly app: INestApplication,
    readonly port: number,
  ) {}

  static async start({ settings = {}, port: wanted = 0, ...options }: GatewayAppOptions = {}): Promise<GatewayApp> {
    const loaded = loadSettings(
      { NODE_ENV: 'production' },
      { 'gateway.port': 0, 'store.url': 'sqlite::memory:', ...settings },
      '/nonexistent',
      options.modules,
    );
    const root = GatewayModule.forRoot({ logs: new SilentLogs(), ...options, settings: loaded });
    const app = await NestFactory.create(root, createHttpAdapter(), {
      logger: false,
      abortOnError: false,
      forceCloseConnections: true,
    });
    app.useWebSocketAdapter(new GatewayWsAdapter(app));
    await app.listen(wanted, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new GatewayApp(app, port);
  }

  /** What makes a caller the operator `local` of a gateway without configured tokens. */
  get localToken(): string {
    return this.app.get(LocalToken, { strict: false }).value;
  }

  /** Returns the path of a link that signs the page in, as the start prints it. */
  async makeLink(): Promise<string> {
    return `/chat#code=${await this.app.get(AuthService, { strict: false }).issuePageCode()}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Opens a client and waits for its `connected`. */
  async connect(clientId = 'client', token?: string, query = ''): Promise<FrameClient> {
    const client = await this.open(clientId, token, query);
    await client.next('connected');
    return client;
  }

  async open(clientId: string, token?: string, query = ''): Promise<FrameClient> {
    const client = await FrameClient.open(
      this.port,
      `?client_id=${clientId}${query}`,
      token ? { headers: { authorization: `Bearer ${token}` } } : {},
    );
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.socket.terminate();
    this.app.get(StartStopService, { strict: false }).hurry();
    await this.app.close();
  }
}
