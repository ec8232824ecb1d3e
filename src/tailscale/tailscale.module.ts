// Promises: the gateway is reachable through Tailscale while it runs and its settings want that, and nothing of it stays
// afterwards. Refuses to know: what requests ask for.
import type { Server } from 'node:http';
import { Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AuthModule, Whois } from '../auth/index.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { Clock } from '../core/time/clock.js';
import { HttpModule } from '../http/index.js';
import { TailscalePeers } from '../http/tailscale-peers.js';
import { ServeListener } from './serve-listener.js';
import { TailscaleClient } from './tailscale-client.js';
import { TailscaleController } from './tailscale.controller.js';
import { TailscaleProgram } from './tailscale-program.js';
import { TailscaleService } from './tailscale.service.js';
import { TailscaleWhois } from './tailscale-whois.js';

const client = {
  provide: TailscaleClient,
  useFactory: (config: ConfigStoreService, clock: Clock) => {
    const program = new TailscaleProgram(
      () => config.get('gateway.tailscale_bin'),
      () => config.get('gateway.tailscale_socket'),
    );
    return new TailscaleClient(program, clock);
  },
  inject: [ConfigStoreService, Clock],
};

@Module({})
export class TailscaleModule {
  /** @param findSocket returns the path of the unix socket for Serve */
  static listeningAt(findSocket: () => string): DynamicModule {
    const listener = {
      provide: ServeListener,
      useFactory: (http: HttpAdapterHost, peers: TailscalePeers) =>
        new ServeListener(findSocket, (socket) => {
          peers.adopt(socket);
          // The requests of this socket are served as those of the port, under the same limits.
          (http.httpAdapter.getHttpServer() as Server).emit('connection', socket);
        }),
      inject: [HttpAdapterHost, TailscalePeers],
    };
    return {
      module: TailscaleModule,
      // The verifier of the people of a tailnet asks it.
      global: true,
      imports: [AuthModule, HttpModule],
      controllers: [TailscaleController],
      providers: [client, listener, TailscaleService, { provide: Whois, useClass: TailscaleWhois }],
      exports: [TailscaleService, Whois],
    };
  }
}
